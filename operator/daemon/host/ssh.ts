import type { SshFiles } from '../config.ts';
import { readAccount, type AccountSettings } from './account.ts';
import { commandLine, isEndedByTimeout, localLimitMs, planOf, type CommandPlan, type HostCommand } from './commands.ts';
import { HostConnection, type ConnectionOptions } from './connection.ts';
import { execute } from './execute.ts';
import type { HostExec, HostResult } from './host-exec.ts';
import { Slots } from './slots.ts';

export interface SshHostExecOptions extends ConnectionOptions {
  settings: () => AccountSettings;
  files: SshFiles;
}

/** Below sshd's MaxSessions (10), and what the library's listeners allow. */
const COMMANDS_AT_ONCE = 8;
const MOST_WAITING = 32;

/** Commands on the own host over one SSH connection. Settings and the files of the Secret are looked at each time. */
export class SshHostExec implements HostExec {
  readonly #options: SshHostExecOptions;
  readonly #connection: HostConnection;
  readonly #slots = new Slots(COMMANDS_AT_ONCE, MOST_WAITING);

  constructor(options: SshHostExecOptions) {
    this.#options = options;
    this.#connection = new HostConnection(options);
  }

  async run(command: HostCommand, signal?: AbortSignal): Promise<HostResult> {
    try {
      const { settings, files } = this.#options;
      const plan = planOf(command);
      const account = await readAccount(settings(), files);
      if (typeof account === 'string') return { kind: 'off', why: account };
      const line = commandLine(plan, account.user);
      return await this.#limited(plan, signal, async ended => {
        const ssh = await raced(this.#connection.get(account), ended);
        return execute(ssh, { line, signal: ended });
      });
    } catch (error) {
      return { kind: 'lost', cause: error as Error };
    }
  }

  close(): void {
    this.#connection.close();
  }

  /** Waits for a place, and ends what takes longer than the host itself would let it. */
  async #limited(
    plan: CommandPlan,
    signal: AbortSignal | undefined,
    act: (ended: AbortSignal) => Promise<HostResult>,
  ): Promise<HostResult> {
    const { clock } = this.#options;
    const abort = new AbortController();
    const since = clock.now();
    const limitMs = localLimitMs(plan);
    const cancel = clock.after(limitMs, () => abort.abort(new LimitReached(limitMs)));
    const ended = signal ? AbortSignal.any([signal, abort.signal]) : abort.signal;
    const give = await this.#slots.take(ended);
    try {
      if (!give) throw ended.aborted ? ended.reason : new Error('too many host commands wait');
      const begun = clock.now();
      return this.#judged(await act(ended), { plan, elapsedMs: clock.now() - begun });
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      return { kind: 'timeout', afterMs: Math.round(clock.now() - since) };
    } finally {
      cancel();
      give?.();
    }
  }

  #judged(result: HostResult, { plan, elapsedMs }: { plan: CommandPlan; elapsedMs: number }): HostResult {
    const afterMs = Math.round(elapsedMs);
    if (result.kind === 'exit' && isEndedByTimeout(result.code) && elapsedMs >= plan.limitSeconds * 900) {
      return { kind: 'timeout', afterMs };
    }
    if (result.kind !== 'lost' || !(result.cause instanceof LimitReached)) return result;
    // The host did not even end the command itself: what else runs over this connection will not end either.
    this.#connection.close();
    return { kind: 'timeout', afterMs };
  }
}

class LimitReached extends Error {
  constructor(limitMs: number) {
    super(`nothing came back within ${limitMs} ms`);
    this.name = 'LimitReached';
  }
}

/** @throws the reason of the signal when that is first */
function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    if (signal.aborted) leave();
  });
}
