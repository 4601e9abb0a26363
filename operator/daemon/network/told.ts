import { sleep, type Clock } from '../../kube/clock.ts';
import type { HostExec } from '../host/host-exec.ts';
import type { CardView, SeenAddress } from './card.ts';
import { parseAddresses } from './ip-address.ts';

/** What the host's `ip` says of a card. */
export interface Told {
  /** Undefined: not known. */
  addresses?: readonly SeenAddress[];
  /** Why they are not known. */
  gap?: string;
}

/** A host answers in a moment; one that does not holds the look at its card up for this time, ms, and no longer. */
const PATIENCE_MS = 1_000;

interface Question {
  /** What was seen when it was asked. */
  sign: string;
  ended: Promise<void>;
  abort: AbortController;
}

/** Asks the host's `ip` what the kernel does not show a process. */
export class ToldAddresses {
  readonly #options: { host: HostExec; clock: Clock };
  #known: { sign: string; told: Told } | undefined;
  #question: Question | undefined;

  constructor(options: { host: HostExec; clock: Clock }) {
    this.#options = options;
  }

  /** Another account may be told something else. */
  forget(): void {
    this.#known = undefined;
    this.#question?.abort.abort();
    this.#question = undefined;
  }

  async of(seen: CardView, signal: AbortSignal): Promise<Told> {
    const sign = JSON.stringify(seen);
    const known = this.#answer(sign);
    // Of a card that is up all addresses are seen: while they are these, the answer is the same.
    if (known && known.gap === undefined && seen.state === 'up') return known;
    const { ended } = this.#asked(sign, seen.card);
    const patience = new AbortController();
    await Promise.race([ended, sleep(this.#options.clock, PATIENCE_MS, AbortSignal.any([signal, patience.signal]))]);
    patience.abort();
    return this.#answer(sign) ?? { gap: `addresses of ${seen.card}: the host has not answered yet` };
  }

  #answer(sign: string): Told | undefined {
    return this.#known?.sign === sign ? this.#known.told : undefined;
  }

  /** The question that is under way, or a new one: what was asked of another state answers nothing now. */
  #asked(sign: string, card: string): Question {
    if (this.#question?.sign === sign) return this.#question;
    this.#question?.abort.abort();
    const abort = new AbortController();
    const ended = addressesOf(this.#options.host, card, abort.signal).then(told => {
      if (this.#question !== question) return;
      this.#known = { sign, told };
      this.#question = undefined;
    });
    const question: Question = { sign, ended, abort };
    this.#question = question;
    return question;
  }
}

async function addressesOf(host: HostExec, card: string, signal: AbortSignal): Promise<Told> {
  const result = await host.run({ name: 'addresses', card }, signal);
  const gap = (why: string): Told => ({ gap: `addresses of ${card}: ${why}` });
  if (result.kind === 'off') return gap(result.why);
  if (result.kind === 'lost') return gap(result.cause.message);
  if (result.kind === 'timeout') return gap(`no answer within ${result.afterMs} ms`);
  if (result.code !== 0) return gap(`ip ended with code ${result.code}`);
  try {
    return { addresses: parseAddresses(card, result.stdout) };
  } catch {
    return gap('ip printed something else');
  }
}
