import { isIP } from 'node:net';
import { backoffMs } from '../../kube/backoff.ts';
import type { Clock } from '../../kube/clock.ts';
import type { HostExec, HostResult } from '../host/host-exec.ts';
import type { OobFact } from './fact.ts';

/** An address that was found is asked for again after this time, ms. */
const KEEP_MS = 3_600_000;
/** A host that answered that there is none is not asked again and again: the controller's bus is slow. */
const RETRY = { baseMs: 60_000, maxMs: KEEP_MS };

/** Asks now and then for the address of the management controller, and never holds up who wants to know it. */
export class OobWatch {
  readonly #options: { host: HostExec; clock: Clock; random: () => number };
  #last: OobFact | undefined;
  #failures = 0;
  #dueAt = 0;
  #asking: Promise<void> | undefined;

  constructor(options: { host: HostExec; clock: Clock; random: () => number }) {
    this.#options = options;
  }

  /** What is known now; undefined before the first answer. */
  look(): OobFact | undefined {
    if (!this.#asking && this.#options.clock.now() >= this.#dueAt) {
      this.#asking = this.#ask().finally(() => (this.#asking = undefined));
    }
    return this.#last;
  }

  /** What was known is not true any more: another account, or asked for again after a time. */
  forget(): void {
    this.#last = undefined;
    this.#failures = 0;
    this.#dueAt = 0;
  }

  async #ask(): Promise<void> {
    const { host, clock, random } = this.#options;
    const result = await host.run({ name: 'bmcAddress' });
    this.#last = oobOf(result);
    // The controller was not asked: the way to the host has a pause of its own, and is to be found open with the next look.
    if (result.kind === 'off' || result.kind === 'lost') return;
    this.#failures = 'ip' in this.#last ? 0 : this.#failures + 1;
    this.#dueAt = clock.now() + (this.#failures === 0 ? KEEP_MS : backoffMs(RETRY, this.#failures, random));
  }
}

/** Reads the field "IP Address" of `ipmitool lan print`. */
export function oobOf(result: HostResult): OobFact {
  if (result.kind === 'off') return { error: result.why };
  if (result.kind === 'lost') return { error: result.cause.message };
  if (result.kind === 'timeout') return { error: `no answer within ${result.afterMs} ms` };
  if (result.code !== 0) return { error: firstLine(result.stderr) || `exit code ${result.code}` };
  const ip = /^IP Address\s*: *(\S+)/m.exec(result.stdout)?.[1] ?? '';
  return isIP(ip) !== 0 && ip !== '0.0.0.0' ? { ip } : { error: 'the management controller has no address' };
}

const firstLine = (text: string): string => text.trim().split('\n')[0]!.slice(0, 200);
