/**
 * A controller brings named things into their desired state.
 *
 * Its reconcile function gets a key, never an event: it reads what is, compares with what should be, and acts. Changes
 * of watched objects only say which keys to look at. It may be called at any time, for any key, also for one whose
 * object is gone, and must do nothing when nothing is to be done. It says when it wants to look again
 * (`requeueAfterMs`); a rejection is tried again later and later. Long waits do not belong into it.
 */
import { randomBytes } from 'node:crypto';
import type { BackoffLimits } from './backoff.ts';
import { systemClock, type Clock } from './clock.ts';
import { isReason, isServerDown, SERVER_DOWN_PAUSE_MS } from './errors.ts';
import type { Cache } from './informer.ts';
import { KeyedQueue, type Outcome, type QueueEvents } from './queue.ts';
import type { Change } from './store.ts';
import { keyOf, type KubeObject, type Logger } from './types.ts';

/** Where the figures of controllers go. Operator/observe has them under the names of controller-runtime. */
export interface ControllerMetrics {
  /** Called once per controller, so that every series begins at zero. */
  controller(
    name: string,
    source: { workers: number; depth: () => number },
  ): {
    events: QueueEvents;
    /** The same function, timed and counted by its result. */
    measured: (run: (key: string) => Promise<Outcome>) => (key: string) => Promise<Outcome>;
  };
}

/** What a run gets beside its key. */
export interface Run {
  /** Adds controller, key and a run id to every line. */
  log: Logger;
  /** Aborts when leadership is lost or the run takes too long; pass it to calls. */
  signal: AbortSignal;
}

export interface ControllerOptions {
  name: string;
  reconcile: (key: string, run: Run) => Promise<Outcome>;
  log: Logger;
  /** Keys at the same time (default 4). */
  workers?: number;
  /** Pauses after failures (default 50 ms to 60 s); while the API server is down they stay short. */
  backoff?: BackoffLimits;
  /** A run that takes longer is called off and shows in the log, ms (default 2 min). */
  timeoutMs?: number;
  /** Errors that no repetition mends: the key waits for the next change. */
  isTerminal?: (error: unknown) => boolean;
  metrics?: ControllerMetrics;
  clock?: Clock;
  random?: () => number;
}

const DEFAULT_BACKOFF: BackoffLimits = { baseMs: 50, maxMs: 60_000 };

/** When the server is back, all keys are to go on at once. */
function shortened(backoff: BackoffLimits): BackoffLimits {
  return { ...backoff, maxMs: Math.min(backoff.maxMs, SERVER_DOWN_PAUSE_MS) };
}

export class Controller {
  readonly name: string;
  readonly #options: ControllerOptions & { clock: Clock; timeoutMs: number };
  readonly #queue: KeyedQueue;
  readonly #reconcile: (key: string) => Promise<Outcome>;
  #leadership = new AbortController();

  constructor(options: ControllerOptions) {
    const { name, metrics, workers = 4, backoff = DEFAULT_BACKOFF, clock = systemClock, random } = options;
    this.name = name;
    this.#options = { timeoutMs: 120_000, ...options, clock };
    const figures = metrics?.controller(name, { workers, depth: () => this.#queue.depth });
    const reconcile = (key: string): Promise<Outcome> => this.#runOnce(key);
    this.#reconcile = figures?.measured(reconcile) ?? reconcile;
    this.#queue = new KeyedQueue({
      run: key => this.#handle(key),
      workers,
      clock,
      backoff: error => (isServerDown(error) ? shortened(backoff) : backoff),
      ...(random && { random }),
      ...(figures && { events: figures.events }),
    });
  }

  /**
   * Changes of these objects make the keys worth a look that `toKeys` gives for the object as it is and as it was.
   * Without it: the object's own key.
   * @param afterMs how long a change may wait for others, ms
   */
  on<T extends KubeObject>(
    cache: Cache<T>,
    toKeys: (object: T) => readonly string[] = ownKey,
    afterMs: (change: Change<T>) => number = () => 0,
  ): this {
    cache.onChange(change => {
      const { object, previous } = change;
      const keys = new Set([...toKeys(object), ...(previous ? toKeys(previous) : [])]);
      for (const key of keys) this.enqueue(key, afterMs(change));
    });
    return this;
  }

  /** Look at this key now, or after a time in ms. */
  enqueue(key: string, afterMs = 0): void {
    this.#queue.addAfter(key, afterMs);
  }

  /** Begins to run keys, also those that came before. */
  open(): void {
    this.#leadership = new AbortController();
    this.#queue.open();
  }

  /** Runs no further keys; true when those running ended within the limit, ms. What comes meanwhile waits. */
  close(limitMs: number): Promise<boolean> {
    return this.#queue.close(limitMs);
  }

  /** Runs no further keys and calls off the running ones: the right to act is gone. */
  abort(): void {
    void this.#queue.close(0);
    this.#leadership.abort();
  }

  /** Forgets all waiting keys and their timers. */
  clear(): void {
    this.#queue.clear();
  }

  /** The one place that decides what an outcome means for the next try; its log line is written in runOnce. */
  async #handle(key: string): Promise<Outcome> {
    try {
      return await this.#reconcile(key);
    } catch (error) {
      if (this.#isTerminal(error)) return undefined;
      throw error;
    }
  }

  async #runOnce(key: string): Promise<Outcome> {
    const log = withMeta(this.#options.log, { controller: this.name, key, run: randomBytes(4).toString('hex') });
    const limit = this.#limit(log);
    const leadership = this.#leadership.signal;
    try {
      return await this.#options.reconcile(key, { log, signal: AbortSignal.any([limit.signal, leadership]) });
    } catch (error) {
      this.#tell(error, log, leadership.aborted);
      throw error;
    } finally {
      limit.cancel();
    }
  }

  #isTerminal(error: unknown): boolean {
    return this.#options.isTerminal?.(error) ?? false;
  }

  #tell(error: unknown, log: Logger, hasLostLeadership: boolean): void {
    // Somebody was quicker, or the right to act is gone: no fault of anybody.
    if (hasLostLeadership || isReason(error, 'Conflict')) {
      log.debug('reconcile was overtaken, looking again', { error });
    } else if (this.#isTerminal(error)) {
      log.error('reconcile failed for good', { error });
    } else {
      log.error('reconcile failed, trying again', { error, isBug: isProgrammingError(error) });
    }
  }

  /** The run keeps its key until it really ends: two at once for one key would be worse than a late one. */
  #limit(log: Logger): { signal: AbortSignal; cancel: () => void } {
    const { clock, timeoutMs } = this.#options;
    const controller = new AbortController();
    const cancel = clock.after(timeoutMs, () => {
      log.error('reconcile takes too long, calling it off', { timeoutMs });
      controller.abort();
    });
    return { signal: controller.signal, cancel };
  }
}

function ownKey(object: KubeObject): string[] {
  return [keyOf(object.metadata)];
}

/** The counterpart of a panic: retried like any error, but marked, for it is a bug. */
function isProgrammingError(error: unknown): boolean {
  return error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
}

/** A log whose lines all carry this. */
export function withMeta(log: Logger, always: Record<string, unknown>): Logger {
  return {
    debug: (message, meta) => log.debug(message, { ...always, ...meta }),
    info: (message, meta) => log.info(message, { ...always, ...meta }),
    warn: (message, meta) => log.warn(message, { ...always, ...meta }),
    error: (message, meta) => log.error(message, { ...always, ...meta }),
  };
}
