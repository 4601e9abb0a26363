import type { Beat, Report } from '../agent-api/beat.ts';
import type { AgentEndpoint } from '../agent-api/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { Agents, Stream } from './agents.ts';

export interface LinkOptions {
  agents: Agents;
  clock: Clock;
  endpoint: AgentEndpoint;
  opened: (link: AgentLink) => void;
  report: (report: Report, link: AgentLink) => void;
  /** It was not heard for `silentMs`. */
  silent: () => void;
  silentMs: () => number;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
/** A timer may come this early, ms. */
const EARLY_MS = 2;
/** A stream that brought nothing for so many silences is dead though TCP says otherwise. */
const DEAD_SILENCES = 2;

/** Keeps one stream to one agent open, for as long as its pod has this address. */
export class AgentLink {
  readonly endpoint: AgentEndpoint;
  /** When a beat was sent last, ms of the clock. */
  sentAt = -Infinity;
  readonly #options: LinkOptions;
  #stream: Stream | undefined;
  #isOpen = false;
  #isClosed = false;
  #pauseMs = FIRST_PAUSE_MS;
  #cancelPause: () => void = () => undefined;
  #cancelSilence: () => void = () => undefined;
  #silences = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.endpoint = options.endpoint;
    this.#connect();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Lost when the stream is not open: the next one begins with a beat of its own. */
  send(beat: Beat): void {
    if (!this.#isOpen) return;
    this.sentAt = this.#options.clock.now();
    this.#stream?.send(beat);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelPause();
    this.#cancelSilence();
    this.#stream?.close();
  }

  #connect(): void {
    const { agents, endpoint } = this.#options;
    const stream = agents.open(endpoint, {
      opened: () => this.#opened(),
      report: report => this.#heard(report),
      ended: () => this.#ended(),
    });
    this.#stream = stream;
    if (!stream) this.#later();
  }

  #opened(): void {
    if (this.#isClosed) return;
    this.#isOpen = true;
    this.#listen();
    this.#options.opened(this);
  }

  #heard(report: Report): void {
    if (this.#isClosed) return;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#silences = 0;
    this.#listen();
    this.#options.report(report, this);
  }

  #listen(): void {
    this.#cancelSilence();
    this.#cancelSilence = this.#options.clock.after(this.#options.silentMs() + EARLY_MS, () => this.#silent());
  }

  #silent(): void {
    this.#options.silent();
    if (!this.#isOpen) return;
    if (++this.#silences >= DEAD_SILENCES) this.#stream?.close();
    else this.#listen();
  }

  #ended(): void {
    this.#isOpen = false;
    this.#stream = undefined;
    // The silence is told all the same: it counts from the last report.
    if (!this.#isClosed) this.#later();
  }

  #later(): void {
    this.#cancelPause = this.#options.clock.after(this.#pauseMs, () => this.#connect());
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
  }
}
