import type { Report, Silent } from '../agent-api/beat.ts';
import type { AgentEndpoint } from '../agent-api/client.ts';
import type { Clock } from './clock.ts';
import { messageOf, type Log } from './log.ts';

type Probe = NonNullable<Report['probe']>;

export interface WitnessOptions {
  /** Formatted incarnation: nobody is a witness of itself. */
  me: string;
  /** Does it reach that agent? Rejects when not, after `limitMs` at the latest. */
  reach: (endpoint: AgentEndpoint, limitMs: number) => Promise<void>;
  /** Who is not asked again for so long tells nothing any more, ms. */
  silentMs: number;
  /** There is news to report. */
  told: () => void;
  clock: Pick<Clock, 'boottime'>;
  log: Log;
}

/** Limit of one try, ms: it ends before the next beat asks again. */
const LIMIT_MS = 450;

/**
 * The second witness of a silent RW (protocol, Moves: Probe): whether this member reaches its agent. It tries with every
 * beat that asks, one try at a time, and does nothing while nobody asks.
 */
export class Witness {
  readonly #options: WitnessOptions;
  #asked: { about: Silent; at: number } | undefined;
  #probe: Probe | undefined;
  #isTrying = false;

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /** What the latest try for the present question found. */
  get probe(): Probe | undefined {
    const { clock, silentMs } = this.#options;
    const isAsked = this.#asked !== undefined && clock.boottime() - this.#asked.at < silentMs;
    return isAsked && this.#asked && this.#probe && isFor(this.#probe, this.#asked.about) ? this.#probe : undefined;
  }

  /** Of each beat of a leading cluster manager. */
  asked(about: Silent | undefined): void {
    const { clock, me } = this.#options;
    const isOther = about !== undefined && about.incarnation !== me;
    this.#asked = isOther ? { about, at: clock.boottime() } : undefined;
    if (isOther) void this.#try(about);
  }

  async #try(about: Silent): Promise<void> {
    if (this.#isTrying) return;
    this.#isTrying = true;
    const { reach, log, told } = this.#options;
    const objection = await reach(about, LIMIT_MS).then(() => undefined, messageOf);
    this.#isTrying = false;
    const { incarnation, since } = about;
    const reached = objection === undefined;
    const isNews = !this.#probe || !isFor(this.#probe, about) || this.#probe.reached !== reached;
    this.#probe = { incarnation, since, reached };
    if (!isNews) return;
    log.info('tried to reach a silent RW', { of: incarnation, reached, ...(!reached && { reason: objection }) });
    told();
  }
}

const isFor = (probe: Probe, about: Silent): boolean =>
  probe.incarnation === about.incarnation && probe.since === about.since;
