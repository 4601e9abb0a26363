import type { NodeSSH } from 'node-ssh';
import type { Clock } from '../../kube/clock.ts';
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
  /** `InternalIP` of the own node. */
  nodeAddress: () => string | undefined;
}

/** Below sshd's MaxSessions (10), and what the library's listeners allow. */
const COMMANDS_AT_ONCE = 8;
const MOST_WAITING = 32;
/** For a place among them, ms. */
const WAIT_LIMIT_MS = 10_000;

/** Commands on the own host over one SSH connection. Settings and the files of the Secret are looked at each time. */
export class SshHostExec implements HostExec {
  readonly #options: SshHostExecOptions;
  readonly #connection: HostConnection;
  readonly #slots = new Slots(COMMANDS_AT_ONCE, MOST_WAITING);

  constructor(options: SshHostExecOptions) {
    this.#options = options;
    this.#connection = new HostConnection(options);
  }

  async run(command: HostCommand, signal: AbortSignal = NEVER): Promise<HostResult> {
    try {
      const { settings, files, nodeAddress } = this.#options;
      const plan = planOf(command);
      const account = await readAccount({ settings: settings(), files, nodeAddress: nodeAddress() });
      if (typeof account === 'string') return { kind: 'off', why: account };
      const line = commandLine(plan, account.user);
      return await this.#inTurn(signal, async () => {
        const ssh = await raced(this.#connection.get(account), signal);
        return this.#execute(ssh, { line, plan, signal });
      });
    } catch (error) {
      return { kind: 'lost', cause: error as Error };
    }
  }

  close(): void {
    this.#connection.close();
  }

  async #inTurn(signal: AbortSignal, act: () => Promise<HostResult>): Promise<HostResult> {
    const limit = limited(this.#options.clock, WAIT_LIMIT_MS, signal);
    const give = await this.#slots.take(limit.signal);
    limit.end();
    if (!give) throw signal.aborted ? signal.reason : new Error('too many host commands wait');
    try {
      return await act();
    } finally {
      give();
    }
  }

  async #execute(
    ssh: NodeSSH,
    { line, plan, signal }: { line: string; plan: CommandPlan; signal: AbortSignal },
  ): Promise<HostResult> {
    const { clock } = this.#options;
    const since = clock.now();
    const limit = limited(clock, localLimitMs(plan), signal);
    const result = await execute(ssh, { line, signal: limit.signal });
    limit.end();
    const afterMs = Math.round(clock.now() - since);
    if (result.kind === 'exit' && isEndedByTimeout(result.code) && afterMs >= plan.limitSeconds * 900) {
      return { kind: 'timeout', afterMs };
    }
    if (result.kind !== 'lost' || !(result.cause instanceof LimitReached)) return result;
    // The host did not even end the command itself: what else runs over this connection will not end either.
    this.#connection.close();
    return { kind: 'timeout', afterMs };
  }
}

const NEVER = new AbortController().signal;

class LimitReached extends Error {
  constructor(limitMs: number) {
    super(`nothing came back within ${limitMs} ms`);
    this.name = 'LimitReached';
  }
}

/** A signal that aborts with the other one, or after a time with LimitReached; `end` when it is not needed any more. */
function limited(clock: Clock, limitMs: number, signal: AbortSignal): { signal: AbortSignal; end: () => void } {
  const abort = new AbortController();
  const cancel = clock.after(limitMs, () => abort.abort(new LimitReached(limitMs)));
  return { signal: AbortSignal.any([signal, abort.signal]), end: cancel };
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
