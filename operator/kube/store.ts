import type { KubeObject, ObjectRef, WatchEvent } from './types.ts';
import { keyOf } from './types.ts';

/** What happened to one object. `previous` is what was known before. */
export interface Change<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: T;
  previous?: T;
}

/** Values under which an object is found; several or none. */
export type IndexFunction<T> = (object: T) => string[];

/** Index by the value of a label. */
export const byLabel =
  (label: string): IndexFunction<KubeObject> =>
  ({ metadata }) => {
    const value = metadata.labels?.[label];
    return value === undefined ? [] : [value];
  };

/** Index by the UIDs of the owners. */
export const byOwner: IndexFunction<KubeObject> = ({ metadata }) =>
  (metadata.ownerReferences ?? []).map(owner => owner.uid);

/** The objects of one selection, with indexes. Tells what an event or a new list changed, and nothing else. */
export class Store<T extends KubeObject> {
  #objects = new Map<string, T>();
  readonly #functions: Map<string, IndexFunction<T>>;
  /** Index, value, key. */
  readonly #indexes = new Map<string, Map<string, Set<string>>>();

  constructor(indexes: Record<string, IndexFunction<T>> = {}) {
    this.#functions = new Map(Object.entries(indexes));
    for (const name of this.#functions.keys()) this.#indexes.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  get(ref: ObjectRef): T | undefined {
    return this.#objects.get(keyOf(ref));
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  /** @throws Error for an index that was not declared: a search in it would always be empty */
  byIndex(index: string, value: string): T[] {
    const values = this.#indexes.get(index);
    if (!values) throw new Error(`no index "${index}"`);
    return [...(values.get(value) ?? [])].flatMap(key => this.#objects.get(key) ?? []);
  }

  /** Takes over a whole new list. Deletes that nobody reported are told, and so is a successor of the same name. */
  replace(objects: T[]): Change<T>[] {
    const wanted = new Map(objects.map(object => [keyOf(object.metadata), object]));
    const changes: Change<T>[] = [];
    for (const [key, previous] of this.#objects) {
      if (!wanted.has(key)) changes.push(...this.#remove(key, previous));
    }
    for (const object of wanted.values()) changes.push(...this.#put(object));
    return changes;
  }

  apply(event: Exclude<WatchEvent<T>, { type: 'BOOKMARK' }>): Change<T>[] {
    if (event.type !== 'DELETED') return this.#put(event.object);
    const key = keyOf(event.object.metadata);
    const previous = this.#objects.get(key);
    if (previous?.metadata.uid !== event.object.metadata.uid) return [];
    return this.#remove(key, event.object);
  }

  #put(object: T): Change<T>[] {
    const key = keyOf(object.metadata);
    const previous = this.#objects.get(key);
    if (previous && previous.metadata.uid !== object.metadata.uid) {
      return [...this.#remove(key, previous), ...this.#put(object)];
    }
    if (previous?.metadata.resourceVersion === object.metadata.resourceVersion && previous) return [];
    if (previous) this.#index(key, previous, 'delete');
    this.#objects.set(key, object);
    this.#index(key, object, 'add');
    return [previous ? { type: 'MODIFIED', object, previous } : { type: 'ADDED', object }];
  }

  /** `last`: the object's last known state. */
  #remove(key: string, last: T): Change<T>[] {
    const previous = this.#objects.get(key);
    if (previous) this.#index(key, previous, 'delete');
    this.#objects.delete(key);
    return [{ type: 'DELETED', object: last, previous }];
  }

  #index(key: string, object: T, act: 'add' | 'delete'): void {
    for (const [name, values] of this.#indexes) {
      for (const value of this.#functions.get(name)!(object)) {
        const keys = values.get(value) ?? new Set();
        keys[act](key);
        if (keys.size > 0) values.set(value, keys);
        else values.delete(value);
      }
    }
  }
}
