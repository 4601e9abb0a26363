import type { KubeObject, ObjectMeta } from '../types.ts';

/** Test only: the objects of a fake API server, with versions and a history that watches replay. */

export interface Location {
  /** `v1/pods`, `apps/v1/deployments`. */
  collection: string;
  namespace?: string;
  name?: string;
  subresource?: string;
}

export interface StoredObject extends KubeObject {
  metadata: ObjectMeta;
  status?: unknown;
}

export interface StoreEvent {
  version: number;
  collection: string;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: StoredObject;
  previous?: StoredObject;
}

export class Refusal extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message = reason) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

const idOf = (at: Location): string => `${at.collection}/${at.namespace ?? ''}/${at.name ?? ''}`;

export class FakeStore {
  version = 100;
  /** Versions up to this one are forgotten. */
  compactedTo = 0;
  readonly objects = new Map<string, StoredObject>();
  readonly history: StoreEvent[] = [];
  onEvent: (event: StoreEvent) => void = () => undefined;
  #uids = 0;

  read(at: Location): StoredObject {
    const found = this.objects.get(idOf(at));
    if (!found) throw new Refusal(404, 'NotFound', `${idOf(at)} not found`);
    return found;
  }

  select(at: Location): StoredObject[] {
    const prefix = at.namespace ? `${at.collection}/${at.namespace}/` : `${at.collection}/`;
    return [...this.objects].filter(([id]) => id.startsWith(prefix)).map(([, object]) => object);
  }

  create(at: Location, object: StoredObject): StoredObject {
    const name = object.metadata.name || `${object.metadata.generateName ?? ''}${++this.#uids}`;
    const place = { ...at, name };
    if (this.objects.has(idOf(place))) throw new Refusal(409, 'AlreadyExists', `${name} already exists`);
    const metadata = { ...object.metadata, name, namespace: at.namespace, uid: `uid-${++this.#uids}`, generation: 1 };
    return this.#store(place, 'ADDED', { ...object, metadata });
  }

  /** Writes a changed object under the rules of versions, finalizers and generations. */
  update(at: Location, changed: StoredObject): StoredObject {
    const current = this.read(at);
    const wanted = changed.metadata.resourceVersion;
    if (wanted && wanted !== current.metadata.resourceVersion) throw new Refusal(409, 'Conflict', 'has been modified');
    const { uid, generation, deletionTimestamp } = current.metadata;
    const metadata = { ...changed.metadata, uid, generation, deletionTimestamp };
    const next = { ...changed, metadata };
    if (JSON.stringify(strip(next)) === JSON.stringify(strip(current))) return current;
    if (deletionTimestamp && !metadata.finalizers?.length) return this.#forget(at, next);
    return this.#store(at, 'MODIFIED', next, current);
  }

  delete(at: Location, preconditions: { uid?: string; resourceVersion?: string } = {}): StoredObject {
    const current = this.read(at);
    for (const field of ['uid', 'resourceVersion'] as const) {
      const wanted = preconditions[field];
      if (wanted && wanted !== current.metadata[field]) throw new Refusal(409, 'Conflict', `${field} differs`);
    }
    if (!current.metadata.finalizers?.length) return this.#forget(at, current);
    const metadata = { ...current.metadata, deletionTimestamp: new Date().toISOString() };
    return this.#store(at, 'MODIFIED', { ...current, metadata }, current);
  }

  /** Forgets the history: watches from older versions are refused with 410. */
  compact(): void {
    this.compactedTo = ++this.version;
    this.history.length = 0;
  }

  /** Copies the store. @returns puts the copy in its place, with everything since forgotten (etcd restored) */
  snapshot(): () => void {
    const { version, objects, history } = this;
    const [kept, events] = [[...objects], history.length];
    return () => {
      this.version = version;
      history.length = events;
      objects.clear();
      for (const [id, object] of kept) objects.set(id, object);
    };
  }

  #forget(at: Location, object: StoredObject): StoredObject {
    this.objects.delete(idOf(at));
    return this.#note(at, 'DELETED', object);
  }

  #store(at: Location, type: 'ADDED' | 'MODIFIED', object: StoredObject, previous?: StoredObject): StoredObject {
    const noted = this.#note(at, type, object, previous);
    this.objects.set(idOf(at), noted);
    return noted;
  }

  #note(at: Location, type: StoreEvent['type'], object: StoredObject, previous?: StoredObject): StoredObject {
    const version = ++this.version;
    const noted = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    const event = { version, collection: at.collection, type, object: noted, previous };
    this.history.push(event);
    this.onEvent(event);
    return noted;
  }
}

function strip(object: StoredObject): StoredObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: undefined } };
}
