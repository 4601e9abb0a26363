import { isDeepStrictEqual } from 'node:util';
import { describeCall, type CallHook, type Verb } from '../call.ts';
import { KubeClient } from '../client.ts';
import { KubeError } from '../errors.ts';
import type { DeleteOptions, PatchOptions } from '../options.ts';
import type { ResourceType } from '../resources.ts';
import { keyOf, type KubeObject, type ObjectRef, type Selection } from '../types.ts';
import { merge } from './fake-server.ts';

/**
 * Test only: an API server without a network, for tests that make tens of thousands of calls. It keeps what the flows
 * rest on: versions and conflicts, UIDs, finalizers, the graceful end of pods, the status subresource, generations,
 * owner references and merge patches. Apply is a merge of what is given; schemas, defaults and field owners are not
 * there, the tests against a real server have them.
 */
export class MemoryApi {
  /** Grows with each change. */
  version = 0;
  readonly #objects = new Map<string, KubeObject>();
  readonly #now: () => Date;
  #uids = 0;

  constructor(now: () => Date) {
    this.#now = now;
  }

  client(...hooks: CallHook[]): KubeClient {
    return new MemoryClient(this, hooks);
  }

  /** Everything as it is at this moment; objects are never changed, only replaced. */
  snapshot(): ReadonlyMap<string, KubeObject> {
    return new Map(this.#objects);
  }

  find(type: ResourceType, ref: ObjectRef): KubeObject | undefined {
    return this.#objects.get(idOf(type, ref));
  }

  create(type: ResourceType, given: KubeObject): KubeObject {
    if (type.plural === 'bindings') return this.#bind(given as Binding);
    const id = idOf(type, given.metadata);
    if (this.#objects.has(id)) throw refusal(409, 'AlreadyExists', id);
    const uid = `00000000-0000-4000-8000-${String(++this.#uids).padStart(12, '0')}`;
    const creationTimestamp = seconds(this.#now());
    return this.#put(id, {
      ...withoutStatus(given),
      metadata: { ...given.metadata, uid, creationTimestamp, generation: 1 },
    });
  }

  /** @param part what the call may change: the status, or everything else */
  update(type: ResourceType, given: KubeObject, part: 'status' | 'rest'): KubeObject {
    const id = idOf(type, given.metadata);
    const current = this.#need(id) as WithStatus;
    const { resourceVersion } = given.metadata;
    if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) throw refusal(409, 'Conflict', id);
    const changed = part === 'status' ? withStatus(current, given) : withRest(current, given);
    if (isDeepStrictEqual(changed, current)) return current;
    const { deletionTimestamp, deletionGracePeriodSeconds: grace = 0, finalizers = [] } = changed.metadata;
    if (deletionTimestamp && finalizers.length === 0 && grace === 0) return this.#forget(id);
    return this.#put(id, changed);
  }

  delete(type: ResourceType, ref: ObjectRef, options: DeleteOptions): void {
    const id = idOf(type, ref);
    const current = this.#need(id);
    const { finalizers = [], deletionGracePeriodSeconds: before = Infinity } = current.metadata;
    if (!isMeant(current, options)) throw refusal(409, 'Conflict', id);
    const grace = Math.min(before, options.graceSeconds ?? graceOf(current));
    if (finalizers.length === 0 && grace === 0) this.#forget(id);
    else if (grace < before) {
      const deletionTimestamp = current.metadata.deletionTimestamp ?? seconds(this.#now());
      const metadata = { ...current.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace };
      this.#put(id, { ...current, metadata });
    }
  }

  /** What the scheduler does to a pod. */
  #bind({ metadata, target }: Binding): KubeObject {
    const id = `pods/${keyOf(metadata)}`;
    const pod = this.#need(id) as PodLike;
    if (pod.spec?.nodeName || pod.metadata.deletionTimestamp) throw refusal(409, 'Conflict', id);
    return this.#put(id, { ...pod, spec: { ...pod.spec, nodeName: target.name } } as KubeObject);
  }

  #need(id: string): KubeObject {
    const found = this.#objects.get(id);
    if (!found) throw refusal(404, 'NotFound', id);
    return found;
  }

  #put(id: string, object: KubeObject): KubeObject {
    const metadata = { ...object.metadata, resourceVersion: String(++this.version) };
    const stored = json({ ...object, metadata });
    this.#objects.set(id, stored);
    return stored;
  }

  /** With everything that it alone owned, as the garbage collector does. */
  #forget(id: string): KubeObject {
    const gone = this.#need(id);
    this.#objects.delete(id);
    this.version++;
    for (const [key, { metadata }] of this.#objects) {
      if (!metadata.ownerReferences?.some(owner => owner.uid === gone.metadata.uid)) continue;
      this.delete({ plural: key.split('/')[0]! } as ResourceType, metadata, {});
    }
    return gone;
  }
}

type WithStatus = KubeObject & { spec?: unknown; status?: unknown };
type PodLike = KubeObject & {
  spec?: { nodeName?: string; terminationGracePeriodSeconds?: number };
  status?: { phase?: string };
};
type Binding = KubeObject & { target: { name: string } };

const seconds = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z');
const idOf = (type: Pick<ResourceType, 'plural'>, ref: ObjectRef): string => `${type.plural}/${keyOf(ref)}`;
/** As it comes over the wire: without undefined fields, and nobody else's. */
const json = <T>(object: T): T => JSON.parse(JSON.stringify(object)) as T;

const refusal = (status: number, reason: string, id: string): KubeError =>
  new KubeError({ status, reason, message: `${id}: ${reason}` });

const withoutStatus = (given: KubeObject): KubeObject => ({ ...given, status: undefined }) as KubeObject;
/** A write without a version goes over any. */
const unversioned = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: undefined },
});
const isMeant = ({ metadata }: KubeObject, { uid, resourceVersion }: DeleteOptions): boolean =>
  (uid ?? metadata.uid) === metadata.uid && (resourceVersion ?? metadata.resourceVersion) === metadata.resourceVersion;

/** What belongs to the server in any write. */
function metadataOf(current: KubeObject, given: KubeObject): KubeObject['metadata'] {
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation, resourceVersion } =
    current.metadata;
  const kept = { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation, resourceVersion };
  return { ...given.metadata, ...kept };
}

function withStatus(current: WithStatus, given: WithStatus): KubeObject {
  return json({ ...current, status: given.status } as KubeObject);
}

function withRest(current: WithStatus, given: WithStatus): KubeObject {
  const changed = json({ ...given, metadata: metadataOf(current, given), status: current.status });
  if (isDeepStrictEqual(changed.spec, current.spec)) return changed;
  const generation = (current.metadata.generation ?? 0) + 1;
  return { ...changed, metadata: { ...changed.metadata, generation } };
}

/** Only pods end gracefully, and only those that a kubelet has. */
function graceOf({ kind, spec, status }: PodLike): number {
  const isEnded = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return kind !== 'Pod' || !spec?.nodeName || isEnded ? 0 : (spec.terminationGracePeriodSeconds ?? 30);
}

function selects({ namespace, labelSelector = '', fieldSelector }: Selection): (object: KubeObject) => boolean {
  if (fieldSelector) throw new Error(`field selectors are not known here: ${fieldSelector}`);
  const wanted = labelSelector.split(',').filter(Boolean);
  return ({ metadata }) => {
    const labels = metadata.labels ?? {};
    const matches = (term: string): boolean => {
      const [key, value] = term.split('=') as [string, string?];
      return key in labels && (value === undefined || labels[key] === value);
    };
    return (namespace === undefined || metadata.namespace === namespace) && wanted.every(matches);
  };
}

/** The calls of a client, each in its own turn of the event loop as those over a network are. */
class MemoryClient extends KubeClient {
  readonly #api: MemoryApi;
  readonly #hooks: readonly CallHook[];

  constructor(api: MemoryApi, hooks: readonly CallHook[]) {
    const credentials = (): Promise<never> => Promise.reject(new Error('no server stands behind a memory API'));
    super({ credentials, fieldManager: 'memory' });
    this.#api = api;
    this.#hooks = hooks;
  }

  override withHooks(...hooks: CallHook[]): KubeClient {
    return new MemoryClient(this.#api, [...this.#hooks, ...hooks]);
  }

  override get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Promise<T | undefined> {
    return this.#call('get', type, ref, () => this.#api.find(type, ref) as T | undefined);
  }

  override list<T extends KubeObject>(type: ResourceType<T>, selection: Selection = {}): Promise<T[]> {
    return this.#call('list', type, { namespace: selection.namespace }, () => {
      const all = [...this.#api.snapshot()].filter(([id]) => id.startsWith(`${type.plural}/`));
      return all.map(([, object]) => object as T).filter(selects(selection));
    });
  }

  override create<T extends KubeObject>(type: ResourceType<T>, object: T): Promise<T> {
    return this.#call('create', type, object.metadata, () => this.#api.create(type, object) as T);
  }

  override replace<T extends KubeObject>(type: ResourceType<T>, object: T): Promise<T> {
    return this.#call('update', type, object.metadata, () => this.#api.update(type, object, 'rest') as T);
  }

  override apply<T extends KubeObject>(type: ResourceType<T>, object: T): Promise<T> {
    return this.#call('patch', type, object.metadata, () => {
      const current = this.#api.find(type, object.metadata);
      if (!current) return this.#api.create(type, object) as T;
      return this.#api.update(type, merge(unversioned(current), json(object)) as T, 'rest') as T;
    });
  }

  override patchMerge<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: object,
    options?: PatchOptions,
  ): Promise<T> {
    return this.#patch(type, ref, { patch, options, part: 'rest' });
  }

  override patchStatus<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    status: object,
    options?: PatchOptions,
  ): Promise<T> {
    return this.#patch(type, ref, { patch: { status }, options, part: 'status' });
  }

  override delete(type: ResourceType, ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    return this.#call('delete', type, ref, () => {
      if (!this.#api.find(type, ref)) return false;
      this.#api.delete(type, ref, options);
      return true;
    });
  }

  #patch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    { patch, options, part }: { patch: object; options: PatchOptions | undefined; part: 'status' | 'rest' },
  ): Promise<T> {
    return this.#call('patch', type, ref, () => {
      const current = this.#api.find(type, ref);
      if (!current) throw refusal(404, 'NotFound', idOf(type, ref));
      const merged = merge(unversioned(current), json(patch)) as T;
      const version = options?.resourceVersion;
      const next = { ...merged, metadata: { ...merged.metadata, ...(version && { resourceVersion: version }) } };
      return this.#api.update(type, next, part) as T;
    });
  }

  async #call<R>(verb: Verb, type: ResourceType, at: Partial<ObjectRef>, act: () => R): Promise<R> {
    const { namespace, name } = at;
    const call = { verb, apiVersion: type.apiVersion, resource: type.plural, namespace, name };
    for (const hook of this.#hooks) await hook.before?.(call);
    await Promise.resolve();
    if (type.namespaced && !namespace && verb !== 'list') throw refusal(400, 'BadRequest', describeCall(call));
    return act();
  }
}
