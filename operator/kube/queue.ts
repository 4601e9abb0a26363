/**
 * A queue of keys, in front of one function that brings the named thing into its desired state.
 *
 * Problem: events come in bursts, handlers are slow and fail. A queue of events would run the same work many times, two
 * at once for one object, and one slow object would hold up all.
 *
 * Design: a key is queued once, however often it is added. Different keys run on up to `workers` workers; one key never
 * runs twice at the same time, and a key added while it runs is run once more afterwards, so no change is missed.
 * Of several dates for one key the earliest counts. A run uses up every earlier date: it sees the world and says
 * itself when to look again. Failures wait longer and longer; an event during that wait brings the next try forward,
 * but to no less than a second after the failure, so that a failing handler which itself causes events cannot spin.
 *
 * Leak avoided: all state of a key goes when it is idle; a deleted object leaves nothing behind.
 */
import { backoffMs, type BackoffLimits } from './backoff.ts';
import { systemClock, type Clock } from './clock.ts';

/** `requeueAfterMs`: look again after this long, even if nothing happens. */
export type Outcome = { requeueAfterMs: number } | undefined;

/** What is told to metrics. */
export interface QueueEvents {
  added?(): void;
  retried?(): void;
  /** A run begins; it was due `waitedMs` ago. */
  started?(waitedMs: number): void;
}

export interface QueueOptions {
  /** Never runs twice at once for one key. A rejection is a failure and is tried again. */
  run: (key: string) => Promise<Outcome>;
  workers?: number;
  /** Pauses after failures, by their error. */
  backoff?: (error: unknown) => BackoffLimits;
  events?: QueueEvents;
  clock?: Clock;
  /** 0 <= random() < 1. */
  random?: () => number;
}

/** How soon an event may bring a failing key forward, ms after its failure. */
const FAILING_FLOOR_MS = 1_000;

interface Delay {
  due: number;
  cancel: () => void;
}

interface Failures {
  count: number;
  /** Not to be run before. */
  floor: number;
}

export class KeyedQueue {
  readonly #options: Required<QueueOptions>;
  /** Due keys in the order of their coming, with the time since when they are due. */
  readonly #ready = new Map<string, number>();
  readonly #delays = new Map<string, Delay>();
  readonly #failures = new Map<string, Failures>();
  readonly #active = new Set<string>();
  #isOpen = false;
  #onIdle: (() => void)[] = [];

  constructor(options: QueueOptions) {
    this.#options = {
      workers: 4,
      backoff: () => ({ baseMs: 50, maxMs: 60_000 }),
      events: {},
      clock: systemClock,
      random: Math.random,
      ...options,
    };
  }

  /** Keys that are due and wait for a worker. */
  get depth(): number {
    return this.#ready.size;
  }

  get active(): number {
    return this.#active.size;
  }

  /** Begins to run keys; those added before have waited. */
  open(): void {
    this.#isOpen = true;
    this.#pump();
  }

  /** Runs no further keys, but still takes them; true when all running ones ended within the limit. */
  async close(limitMs: number): Promise<boolean> {
    this.#isOpen = false;
    if (this.#active.size === 0) return true;
    return new Promise(resolve => {
      const cancel = this.#options.clock.after(limitMs, () => resolve(false));
      this.#onIdle.push(() => {
        cancel();
        resolve(true);
      });
    });
  }

  /** Forgets all waiting keys. Only for the end: what is forgotten is not run. */
  clear(): void {
    for (const delay of this.#delays.values()) delay.cancel();
    this.#delays.clear();
    this.#ready.clear();
    this.#failures.clear();
  }

  /** Something about this key may have changed. */
  add(key: string): void {
    this.#options.events.added?.();
    const wait = (this.#failures.get(key)?.floor ?? 0) - this.#options.clock.now();
    if (wait > 0 && !this.#active.has(key)) this.#delay(key, wait);
    else this.#enqueue(key);
  }

  /** Look at this key in `ms`, or earlier if it is due earlier. */
  addAfter(key: string, ms: number): void {
    if (ms <= 0) this.add(key);
    else this.#delay(key, ms);
  }

  #delay(key: string, ms: number): void {
    const due = this.#options.clock.now() + ms;
    const current = this.#delays.get(key);
    if (this.#ready.has(key) || (current && current.due <= due)) return;
    current?.cancel();
    this.#delays.set(key, { due, cancel: this.#options.clock.after(ms, () => this.#enqueue(key)) });
  }

  #enqueue(key: string): void {
    this.#delays.get(key)?.cancel();
    this.#delays.delete(key);
    if (!this.#ready.has(key)) this.#ready.set(key, this.#options.clock.now());
    this.#pump();
  }

  #pump(): void {
    if (!this.#isOpen) return;
    for (const [key, since] of this.#ready) {
      if (this.#active.size >= this.#options.workers) return;
      if (this.#active.has(key)) continue;
      this.#ready.delete(key);
      this.#active.add(key);
      void this.#work(key, since);
    }
  }

  async #work(key: string, since: number): Promise<void> {
    const { clock, events, run } = this.#options;
    events.started?.(clock.now() - since);
    try {
      const outcome = await run(key);
      this.#failures.delete(key);
      if (outcome) this.addAfter(key, outcome.requeueAfterMs);
    } catch (error) {
      // Whoever gave `run` has logged and counted it; here only the next try matters.
      this.#fail(key, error);
    } finally {
      this.#active.delete(key);
      this.#finish();
    }
  }

  #fail(key: string, error: unknown): void {
    const { backoff, clock, events, random } = this.#options;
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    const wait = backoffMs(backoff(error), count, random);
    const floor = clock.now() + Math.min(wait, FAILING_FLOOR_MS);
    this.#failures.set(key, { count, floor });
    events.retried?.();
    // An event that came during the run is as subject to the floor as one that comes now.
    const wasAdded = this.#ready.delete(key);
    this.#delay(key, wasAdded ? floor - clock.now() : wait);
  }

  #finish(): void {
    this.#pump();
    if (this.#active.size > 0) return;
    for (const resolve of this.#onIdle) resolve();
    this.#onIdle = [];
  }
}
