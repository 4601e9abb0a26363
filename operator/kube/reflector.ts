import { backoffMs, type BackoffLimits } from './backoff.ts';
import { sleep, systemClock, type Clock } from './clock.ts';
import type { KubeClient } from './client.ts';
import { KubeError } from './errors.ts';
import { isStoreBehind, nextProgress, START, type Met, type Phase } from './reflector-state.ts';
import type { ResourceType } from './resources.ts';
import type { KubeObject, Logger, Selection, WatchEvent } from './types.ts';

/** Where lists and watches come from: a KubeClient, or a test. */
export type WatchSource = Pick<KubeClient, 'listPage' | 'watch'>;

/** Who keeps what a reflector brings. Must not throw. */
export interface Sink<T> {
  replace(objects: T[]): void;
  apply(event: Exclude<WatchEvent<T>, { type: 'BOOKMARK' }>): void;
}

export interface ReflectorTiming {
  /** Pauses after failures (default 0.2-30 s). */
  backoff: BackoffLimits;
  /** A watch without even a bookmark for this long is dead, ms (default 90 s: servers send one a minute). */
  silenceMs: number;
  /** Shortest time after which the server is asked to end a watch, s (default 300); the longest is twice that. */
  watchSeconds: number;
  clock: Clock;
  random: () => number;
}

export interface ReflectorStats {
  lists: number;
  watches: number;
  failures: number;
  /** Clock time of the last word from the server, ms. */
  lastContact: number;
}

const DEFAULTS: ReflectorTiming = {
  backoff: { baseMs: 200, maxMs: 30_000 },
  silenceMs: 90_000,
  watchSeconds: 300,
  clock: systemClock,
  random: Math.random,
};

/** A watch that lasted this long was a good one, even if nothing happened. */
const LIVED_MS = 5_000;
const LIST_TIMEOUT_MS = 60_000;

/**
 * Mirrors a selection of objects into a sink: list, then watch, for ever, whatever happens on the way. reflector-state.ts
 * says what follows what.
 */
export class Reflector<T extends KubeObject> {
  readonly stats: ReflectorStats = { lists: 0, watches: 0, failures: 0, lastContact: 0 };
  readonly #source: WatchSource;
  readonly #type: ResourceType<T>;
  readonly #selection: Selection;
  readonly #sink: Sink<T>;
  readonly #log: Logger;
  readonly #timing: ReflectorTiming;
  #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: {
    source: WatchSource;
    type: ResourceType<T>;
    selection?: Selection;
    sink: Sink<T>;
    log: Logger;
    timing?: Partial<ReflectorTiming>;
  }) {
    this.#source = options.source;
    this.#type = options.type;
    this.#selection = options.selection ?? {};
    this.#sink = options.sink;
    this.#log = options.log;
    this.#timing = { ...DEFAULTS, ...options.timing };
  }

  start(): void {
    if (this.#running) return;
    this.#stop = new AbortController();
    this.#running = this.#loop(this.#stop.signal);
  }

  /** Resolves when nothing more will reach the sink. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#running = undefined;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    // A function, because the compiler takes what it read once for what it stays.
    const isStopped = (): boolean => signal.aborted;
    let progress = START;
    while (!isStopped()) {
      const met = await this.#step(progress.phase, signal);
      if (isStopped()) return;
      const next = nextProgress(progress, met);
      progress = next.progress;
      const { backoff, clock, random } = this.#timing;
      const limits = { ...backoff, maxMs: Math.min(backoff.maxMs, next.atMostMs) };
      const pauseMs = Math.max(next.pause > 0 ? backoffMs(limits, next.pause, random) : 0, next.atLeastMs);
      this.#tell(met, pauseMs);
      if (pauseMs > 0) await sleep(clock, pauseMs, signal);
    }
  }

  #tell(met: Met, pauseMs: number): void {
    if (met.what === 'listed') return;
    const about = { kind: this.#type.kind, ...this.#selection, pauseMs: Math.round(pauseMs) };
    if (met.what === 'ended') {
      this.#log.debug('watch ended', about);
      return;
    }
    this.stats.failures++;
    this.#log.warn('watch failed, trying again', { ...about, error: met.error });
  }

  #step(phase: Phase, signal: AbortSignal): Promise<Met> {
    if (phase.at === 'empty') return this.#list(phase.isUnpaged === true, signal);
    return this.#watch(phase, signal);
  }

  /** The sink gets the list only when it is whole: a half one would look like deletes. */
  async #list(isUnpaged: boolean, signal: AbortSignal): Promise<Met> {
    const objects: T[] = [];
    this.stats.lists++;
    try {
      for (let next: string | undefined; ;) {
        const request = { ...this.#selection, next, ...(isUnpaged && { limit: 0 }) };
        const page = await this.#source.listPage(this.#type, request, { signal, timeoutMs: LIST_TIMEOUT_MS });
        for (const object of page.items) objects.push(object);
        next = page.next;
        if (next !== undefined) continue;
        this.#contact();
        if (!signal.aborted) this.#sink.replace(objects);
        return { what: 'listed', resourceVersion: page.resourceVersion };
      }
    } catch (error) {
      return { what: 'failed', error, resourceVersion: '', hasLived: false };
    }
  }

  async #watch({ resourceVersion: since, isDoubted }: Watching, signal: AbortSignal): Promise<Met> {
    const { clock, random, silenceMs, watchSeconds } = this.#timing;
    const started = clock.now();
    let resourceVersion = since;
    let hasEvents = false;
    const hasLived = (): boolean => hasEvents || clock.now() - started >= LIVED_MS;
    const timeoutSeconds = Math.ceil(watchSeconds * (1 + random()));
    this.stats.watches++;
    try {
      if (isDoubted === true) await this.#requireStoreSince(since, signal);
      const options = { ...this.#selection, resourceVersion, signal, timeoutSeconds, silenceMs };
      for await (const event of this.#source.watch(this.#type, options)) {
        if (signal.aborted) break;
        this.#contact();
        hasEvents = true;
        if (event.type !== 'BOOKMARK') this.#sink.apply(event);
        resourceVersion = versionOf(event) ?? resourceVersion;
      }
      return { what: 'ended', resourceVersion, hasLived: hasLived() };
    } catch (error) {
      return { what: 'failed', error, resourceVersion, hasLived: hasLived() };
    }
  }

  /** Asks for one object: the list carries the version that the store is at. @throws KubeError `Expired` */
  async #requireStoreSince(since: string, signal: AbortSignal): Promise<void> {
    const request = { ...this.#selection, limit: 1 };
    const { resourceVersion } = await this.#source.listPage(this.#type, request, {
      signal,
      timeoutMs: LIST_TIMEOUT_MS,
    });
    if (!isStoreBehind(resourceVersion, since)) return;
    const message = `the store is at version ${resourceVersion}, ${since} was seen before: it was restored`;
    throw new KubeError({ status: 410, reason: 'Expired', message });
  }

  #contact(): void {
    this.stats.lastContact = this.#timing.clock.now();
  }
}

type Watching = Extract<Phase, { at: 'watching' }>;

function versionOf(event: WatchEvent<KubeObject>): string | undefined {
  const version = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
  return version === '' ? undefined : version;
}
