import { Reflector, type ReflectorStats, type ReflectorTiming, type WatchSource } from './reflector.ts';
import type { ResourceType } from './resources.ts';
import { Store, type Change, type IndexFunction } from './store.ts';
import type { KubeObject, Logger, ObjectRef, Selection } from './types.ts';

/** What readers may do with watched objects. Objects are shared: never change one. */
export interface Cache<T extends KubeObject> {
  /** Has the first list arrived? Before that, absence means nothing. */
  readonly isSynced: boolean;
  get(ref: ObjectRef): T | undefined;
  list(): T[];
  /** @throws Error for an index that was not declared */
  byIndex(index: string, value: string): T[];
  /** Calls the handler for every object there is (ADDED) and for every change; returns how to end that. */
  onChange(handler: (change: Change<T>) => void): () => void;
}

export interface InformerOptions<T extends KubeObject> {
  source: WatchSource;
  type: ResourceType<T>;
  selection?: Selection;
  indexes?: Record<string, IndexFunction<T>>;
  /** Makes an object smaller before it is kept. Default: drops managedFields. */
  trim?: (object: T) => T;
  log: Logger;
  timing?: Partial<ReflectorTiming>;
}

/** A cache of one selection that keeps itself current. */
export class Informer<T extends KubeObject> implements Cache<T> {
  /** Handlers that threw; each is logged. */
  handlerErrors = 0;
  readonly #store: Store<T>;
  readonly #reflector: Reflector<T>;
  readonly #handlers = new Set<(change: Change<T>) => void>();
  readonly #log: Logger;
  readonly #kind: string;
  #isSynced = false;
  #isStopped = false;
  #waiters: { resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(options: InformerOptions<T>) {
    const { trim = dropManagedFields, indexes, ...rest } = options;
    this.#log = options.log;
    this.#kind = options.type.kind;
    this.#store = new Store(indexes);
    this.#reflector = new Reflector<T>({
      ...rest,
      sink: {
        replace: objects => {
          const changes = this.#store.replace(objects.map(trim));
          this.#isSynced = true;
          this.#emit(changes);
          for (const waiter of this.#waiters.splice(0)) waiter.resolve();
        },
        apply: event => this.#emit(this.#store.apply({ ...event, object: trim(event.object) })),
      },
    });
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  get stats(): ReflectorStats & { objects: number; handlerErrors: number } {
    return { ...this.#reflector.stats, objects: this.#store.size, handlerErrors: this.handlerErrors };
  }

  start(): void {
    this.#reflector.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reflector.stop();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#stoppedEarly());
  }

  /** Resolves with the first list. @throws Error when stopped before */
  whenSynced(): Promise<void> {
    if (this.#isSynced) return Promise.resolve();
    if (this.#isStopped) return Promise.reject(this.#stoppedEarly());
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  get(ref: ObjectRef): T | undefined {
    return this.#store.get(ref);
  }

  list(): T[] {
    return this.#store.list();
  }

  byIndex(index: string, value: string): T[] {
    return this.#store.byIndex(index, value);
  }

  onChange(handler: (change: Change<T>) => void): () => void {
    this.#handlers.add(handler);
    for (const object of this.#store.list()) this.#call(handler, { type: 'ADDED', object });
    return () => this.#handlers.delete(handler);
  }

  #stoppedEarly(): Error {
    return new Error(`${this.#kind}: stopped before the first list arrived`);
  }

  #emit(changes: Change<T>[]): void {
    for (const change of changes) for (const handler of this.#handlers) this.#call(handler, change);
  }

  #call(handler: (change: Change<T>) => void, change: Change<T>): void {
    try {
      handler(change);
    } catch (error) {
      this.handlerErrors++;
      const { namespace, name } = change.object.metadata;
      this.#log.error('an event handler failed', { kind: this.#kind, namespace, name, type: change.type, error });
    }
  }
}

/** A third of a typical object, and of no use in a cache. */
function dropManagedFields<T extends KubeObject>(object: T): T {
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}
