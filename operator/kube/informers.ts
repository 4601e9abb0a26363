import { Informer, type Cache, type InformerOptions } from './informer.ts';
import type { ReflectorStats, ReflectorTiming, WatchSource } from './reflector.ts';
import type { ResourceType } from './resources.ts';
import type { Change } from './store.ts';
import type { KubeObject, Logger, ObjectRef } from './types.ts';

export interface WatchRequest<T extends KubeObject> extends Pick<InformerOptions<T>, 'indexes' | 'trim'> {
  /** Only these; absent: all. One watch each, which needs no cluster-wide rights. */
  namespaces?: readonly string[];
  labelSelector?: string;
  fieldSelector?: string;
}

export interface WatchStats extends ReflectorStats {
  kind: string;
  plural: string;
  namespace: string;
  objects: number;
  handlerErrors: number;
  isSynced: boolean;
}

/** Of all watches of one kind. */
export type WatchFigures = Pick<WatchStats, 'lists' | 'watches' | 'failures' | 'objects'>;

interface Watched {
  type: ResourceType;
  namespace: string;
  informer: Pick<Informer<KubeObject>, 'start' | 'stop' | 'whenSynced' | 'isSynced' | 'stats'>;
}

/** All watches of a program: started, waited for and stopped together. They run on standbys too, to be warm. */
export class Informers {
  readonly #options: { source: WatchSource; log: Logger; timing?: Partial<ReflectorTiming> };
  readonly #watched: Watched[] = [];
  #isStarted = false;

  constructor(options: { source: WatchSource; log: Logger; timing?: Partial<ReflectorTiming> }) {
    this.#options = options;
  }

  /** Begins a watch (at once if the others run already). Keep what it gives back and share it: each call watches anew. */
  watch<T extends KubeObject>(type: ResourceType<T>, request: WatchRequest<T> = {}): Cache<T> {
    const { namespaces, labelSelector, fieldSelector, ...rest } = request;
    const places = type.namespaced && namespaces ? [...new Set(namespaces)] : [undefined];
    const informers = places.map(namespace => {
      const selection = { namespace, labelSelector, fieldSelector };
      const informer = new Informer<T>({ ...this.#options, ...rest, type, selection });
      this.#watched.push({ type, namespace: namespace ?? '', informer });
      if (this.#isStarted) informer.start();
      return informer;
    });
    const [only] = informers;
    return informers.length === 1 && only ? only : new UnionCache(informers);
  }

  start(): void {
    this.#isStarted = true;
    for (const { informer } of this.#watched) informer.start();
  }

  /** Resolves when every watch has had its first list. @throws Error when stopped before */
  async whenSynced(): Promise<void> {
    await Promise.all(this.#watched.map(({ informer }) => informer.whenSynced()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#watched.map(({ informer }) => informer.stop()));
  }

  /** Waits as {@link whenSynced} does. False when stopped before. */
  async areSynced(): Promise<boolean> {
    return this.whenSynced().then(
      () => true,
      () => false,
    );
  }

  /** Offers the figures of all watches of one kind, by its plural. */
  offerFigures(offer: (plural: string, figures: () => WatchFigures) => void): void {
    for (const plural of new Set(this.stats.map(stats => stats.plural))) {
      offer(plural, () => sumOf(this.stats.filter(stats => stats.plural === plural)));
    }
  }

  /** For metrics, and to tell which kind keeps a start waiting. */
  get stats(): WatchStats[] {
    return this.#watched.map(({ type, namespace, informer }) => ({
      kind: type.kind,
      plural: type.plural,
      namespace,
      isSynced: informer.isSynced,
      ...informer.stats,
    }));
  }
}

function sumOf(all: readonly WatchStats[]): WatchFigures {
  const sum = (field: keyof WatchFigures): number => all.reduce((total, stats) => total + stats[field], 0);
  return { lists: sum('lists'), watches: sum('watches'), failures: sum('failures'), objects: sum('objects') };
}

/** Several namespaces as one. */
class UnionCache<T extends KubeObject> implements Cache<T> {
  readonly #parts: readonly Cache<T>[];

  constructor(parts: readonly Cache<T>[]) {
    this.#parts = parts;
  }

  get isSynced(): boolean {
    return this.#parts.every(part => part.isSynced);
  }

  get(ref: ObjectRef): T | undefined {
    for (const part of this.#parts) {
      const found = part.get(ref);
      if (found) return found;
    }
    return undefined;
  }

  list(): T[] {
    return this.#parts.flatMap(part => part.list());
  }

  byIndex(index: string, value: string): T[] {
    return this.#parts.flatMap(part => part.byIndex(index, value));
  }

  onChange(handler: (change: Change<T>) => void): () => void {
    const ends = this.#parts.map(part => part.onChange(handler));
    return () => {
      for (const end of ends) end();
    };
  }
}
