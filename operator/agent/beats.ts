import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { beatSchema, type Beat, type Report } from '../agent-api/beat.ts';
import { JsonLines } from '../agent-api/lines.ts';
import { within, type Clock } from './clock.ts';
import { messageOf, type Log } from './log.ts';
import type { ReportBody } from './report.ts';

export interface BeatsOptions {
  clock: Clock;
  /** Period of reports, ms. */
  beatMs: number;
  /** A leading cluster manager is heard for so long after its last beat, ms. */
  silentMs: number;
  /** A report waits for a fresh look this long at most, ms. */
  lookMs: number;
  /** Looks at what changes by itself. Never rejects. */
  look: () => Promise<void>;
  /** The report as of now, from what was seen last. */
  describe: () => ReportBody;
  /** @param sentAt sending of the report that the beat answers, ms of CLOCK_BOOTTIME; undefined when it answers none */
  /** The last stream has ended: nobody is told anything any more. */
  onQuiet: () => void;
  onBeat: (beat: Beat, sentAt: number | undefined) => void;
  log: Log;
}

interface Stream {
  lines: JsonLines;
  /** Who is at the other end, for the log. */
  caller: string;
  nonce: string;
  count: number;
  /** Sending of the newest reports by their nonces. */
  sentAt: Map<string, number>;
  heard?: Beat;
  heardAt: number;
}

/** Answers to older reports are of no use: the right that they would give is over. */
const REMEMBERED = 32;

/** The agent's side of the streams of cluster managers: reports to all of them, each with nonces of its own. */
export class Beats {
  readonly #options: BeatsOptions;
  readonly #streams = new Set<Stream>();
  #stopTimer: () => void = () => undefined;
  #isPosted = false;
  #isStale = false;
  #isLookingAgain = false;

  constructor(options: BeatsOptions) {
    this.#options = options;
  }

  /** A leader whose beats come: it tells of what is recorded and decides what a crashed engine does next. */
  get isLeaderHeard(): boolean {
    const { clock, silentMs } = this.#options;
    const since = clock.boottime() - silentMs;
    return [...this.#streams].some(it => it.heard?.isLeader === true && it.heardAt >= since);
  }

  /** Takes over a connection whose upgrade was answered. */
  add(connection: Duplex, head: Buffer, caller: string): void {
    const { log } = this.#options;
    const lines = new JsonLines(
      connection,
      value => this.#take(stream, value),
      reason => {
        this.#streams.delete(stream);
        log.info('stream of beats ends', { caller, reason });
        if (this.#streams.size > 0) return;
        this.#stopTimer();
        this.#options.onQuiet();
      },
    );
    const stream: Stream = { lines, caller, nonce: randomUUID(), count: 0, sentAt: new Map(), heardAt: -Infinity };
    this.#streams.add(stream);
    log.info('stream of beats begins', { caller });
    lines.unshift(head);
    this.#stopTimer();
    void this.#tick();
  }

  /** Says what is to be said, and ends all streams. */
  end(): void {
    this.#report();
    for (const { lines } of this.#streams) lines.end();
  }

  /** Something changed that cannot wait. What happens in one go is told in one report. */
  changed(): void {
    if (this.#isPosted || this.#streams.size === 0) return;
    this.#isPosted = true;
    queueMicrotask(() => {
      this.#isPosted = false;
      this.#report();
      void this.#lookAgain();
    });
  }

  /** What was just told may have changed what a look shows: an engine that takes writes now, for example. */
  async #lookAgain(): Promise<void> {
    this.#isStale = true;
    if (this.#isLookingAgain) return;
    this.#isLookingAgain = true;
    while (this.#isStale) {
      this.#isStale = false;
      await this.#options.look();
    }
    this.#isLookingAgain = false;
    this.#report();
  }

  #take(stream: Stream, value: unknown): void {
    const { clock, onBeat } = this.#options;
    const beat = beatSchema.parse(value);
    stream.heard = beat;
    stream.heardAt = clock.boottime();
    onBeat(beat, beat.answer === undefined ? undefined : stream.sentAt.get(beat.answer));
  }

  async #tick(): Promise<void> {
    const { clock, beatMs, look, lookMs, log } = this.#options;
    const stop = clock.after(beatMs, () => void this.#tick());
    this.#stopTimer = stop;
    try {
      await within(clock, lookMs, look());
      this.#report();
    } catch (error) {
      log.error('no report', { reason: messageOf(error) });
    }
  }

  #report(): void {
    if (this.#streams.size === 0) return;
    const body = this.#options.describe();
    const now = this.#options.clock.boottime();
    for (const stream of this.#streams) send(stream, body, now);
  }
}

function send(stream: Stream, body: ReportBody, now: number): void {
  const nonce = `${stream.nonce} ${++stream.count}`;
  stream.sentAt.set(nonce, now);
  const oldest = stream.sentAt.keys().next();
  if (stream.sentAt.size > REMEMBERED && !oldest.done) stream.sentAt.delete(oldest.value);
  const report: Report = { nonce, echo: stream.heard?.stamp, ...body };
  stream.lines.send(report);
}
