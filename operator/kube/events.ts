import { createHash } from 'node:crypto';
import type { KubeClient } from './client.ts';
import { microTime, systemClock, type Clock } from './clock.ts';
import { RESOURCES, type Event } from './resources.ts';
import type { KubeObject, Logger } from './types.ts';

/** Something that people should see in `kubectl describe`. */
export interface EventNote {
  type: 'Normal' | 'Warning';
  /** One CamelCase word of a documented set. */
  reason: string;
  /** Cut at 1,024 characters, the server's limit. */
  message: string;
  /** What was done or tried, one CamelCase word. Default: the reason. */
  action?: string;
}

export interface EventRecorderOptions {
  client: Pick<KubeClient, 'create' | 'patchMerge'>;
  /** Which part says it, `polardb-stack-operator`. */
  component: string;
  /** Which process of it: the pod's name. */
  instance: string;
  log: Logger;
  clock?: Clock;
}

interface Series {
  namespace: string;
  name: string;
  /** How often it was recorded. */
  count: number;
  lastWrite: number;
  lastSeen: number;
}

/** The same note within this time is one Event with a count, as in client-go. */
const SERIES_MS = 6 * 60_000;
/** The count of one Event is written no more often than this. */
const REFRESH_MS = 10_000;
/** First notes of one object in a row, then one a minute. */
const BURST = 25;
const REFILL_MS = 60_000;
const MAX_OBJECTS = 4_096;
const MAX_WAITING = 200;

/**
 * Writes Events (events.k8s.io/v1) in the background. Recording never fails, never waits and never floods: repeats
 * become a count, an object has a budget, and when the server is slow, new notes are dropped and counted.
 */
export class EventRecorder {
  dropped = 0;
  readonly #options: Required<EventRecorderOptions>;
  readonly #series = new Map<string, Series>();
  readonly #budgets = new Map<string, { left: number; at: number }>();
  #waiting = 0;
  #tail: Promise<void> = Promise.resolve();

  constructor(options: EventRecorderOptions) {
    this.#options = { clock: systemClock, ...options };
  }

  record(about: KubeObject, note: EventNote): void {
    const key = [about.metadata.uid, note.type, note.reason, note.message].join('\n');
    const now = this.#options.clock.now();
    const series = this.#series.get(key);
    if (series && now - series.lastSeen < SERIES_MS) this.#repeat(key, series);
    else if (this.#mayBegin(about, now)) this.#begin(key, about, note);
    else this.dropped++;
  }

  /** Resolves when all that was recorded so far is written or given up. For the end of the program and for tests. */
  flush(): Promise<void> {
    return this.#tail;
  }

  #begin(key: string, about: KubeObject, note: EventNote): void {
    const { clock, component, instance } = this.#options;
    const time = microTime(clock.date());
    // Events about cluster-scoped objects live in `default`; the server demands it.
    const namespace = about.metadata.namespace ?? 'default';
    const hash = createHash('sha256').update(`${key}\n${time}\n${instance}`).digest('hex').slice(0, 16);
    const name = `${about.metadata.name.slice(0, 200)}.${hash}`;
    const { apiVersion, kind } = about;
    const event: Event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace, name },
      eventTime: time,
      reportingController: component,
      reportingInstance: instance,
      action: note.action ?? note.reason,
      reason: note.reason,
      type: note.type,
      note: note.message.slice(0, 1_024),
      regarding: {
        apiVersion,
        kind,
        namespace: about.metadata.namespace,
        name: about.metadata.name,
        uid: about.metadata.uid,
      },
    };
    const now = clock.now();
    this.#remember(this.#series, key, { namespace, name, count: 1, lastWrite: now, lastSeen: now });
    this.#write(() => this.#options.client.create(RESOURCES.events, event));
  }

  /** Counts in memory, and writes the count now and then. */
  #repeat(key: string, series: Series): void {
    const { client, clock } = this.#options;
    series.count++;
    series.lastSeen = clock.now();
    this.#remember(this.#series, key, series);
    if (series.lastSeen - series.lastWrite < REFRESH_MS) return;
    series.lastWrite = series.lastSeen;
    const patch = { series: { count: series.count, lastObservedTime: microTime(clock.date()) } };
    this.#write(() => client.patchMerge(RESOURCES.events, series, patch));
  }

  /** Takes one of the object's budget. */
  #mayBegin(about: KubeObject, now: number): boolean {
    const key = about.metadata.uid ?? about.metadata.name;
    const budget = this.#budgets.get(key) ?? { left: BURST, at: now };
    const left = Math.min(BURST, budget.left + (now - budget.at) / REFILL_MS);
    this.#remember(this.#budgets, key, { left: left >= 1 ? left - 1 : left, at: now });
    return left >= 1;
  }

  /** Maps keep the order of insertion: the first key is the one not used for longest. */
  #remember<V>(map: Map<string, V>, key: string, value: V): void {
    map.delete(key);
    map.set(key, value);
    if (map.size > MAX_OBJECTS) map.delete(map.keys().next().value!);
  }

  /** One after another: an Event is created before its count is written. */
  #write(send: () => Promise<unknown>): void {
    if (this.#waiting >= MAX_WAITING) {
      this.dropped++;
      return;
    }
    this.#waiting++;
    this.#tail = this.#tail.then(async () => {
      try {
        await send();
      } catch (error) {
        this.dropped++;
        this.#options.log.warn('an event could not be written', { error });
      } finally {
        this.#waiting--;
      }
    });
  }
}
