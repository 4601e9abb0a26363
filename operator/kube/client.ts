import { Caller, describeCall, type CallHook, type CallOptions, type Verb } from './call.ts';
import { systemClock } from './clock.ts';
import { errorOfTransport, isReason } from './errors.ts';
import type { ClientOptions, DeleteOptions, PatchOptions, WatchOptions, WriteOptions } from './options.ts';
import { at, noticing, requestOf, watchEvent, type Query, type RawEvent, type Target } from './request.ts';
import type { ResourceType } from './resources.ts';
import { jsonLines, SilenceGuard } from './stream.ts';
import { Transport } from './transport.ts';
import type { KubeObject, ObjectRef, Page, Selection, WatchEvent } from './types.ts';

const PAGE_SIZE = 500;
const MERGE_PATCH = 'application/merge-patch+json';
/** JSON is YAML. */
const APPLY_PATCH = 'application/apply-patch+yaml';

/**
 * Typed calls to the API server over plain objects, on one shared pool of connections. Every method rejects with
 * KubeError (or with what a hook threw). Reads are direct, from the server, not from a cache.
 */
export class KubeClient {
  readonly fieldManager: string;
  readonly #caller: Caller;

  constructor(options: ClientOptions | { derivedFrom: KubeClient; hooks: readonly CallHook[] }) {
    if ('derivedFrom' in options) {
      this.fieldManager = options.derivedFrom.fieldManager;
      this.#caller = options.derivedFrom.#caller.with(options.hooks);
      return;
    }
    const { credentials, fieldManager, clock = systemClock, hooks = [], refreshMs = 10_000 } = options;
    this.fieldManager = fieldManager;
    this.#caller = new Caller(new Transport({ credentials, refreshMs, clock }), {
      clock,
      hooks,
      limits: { timeoutMs: options.timeoutMs ?? 30_000, maxWaitMs: options.maxWaitMs ?? 10_000 },
    });
  }

  /** A client on the same connections whose calls pass these hooks too. */
  withHooks(...hooks: CallHook[]): KubeClient {
    return new KubeClient({ derivedFrom: this, hooks });
  }

  /** Requests sent so far by this client and those derived from it, watches and repeats included. */
  get callsSent(): number {
    return this.#caller.sent;
  }

  /** Ends all connections. Running calls and watches fail. */
  close(): Promise<void> {
    return this.#caller.transport.close();
  }

  /** The object, or undefined when there is none of this name. */
  async get<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options?: CallOptions,
  ): Promise<T | undefined> {
    try {
      return (await this.#send(type, 'get', at(ref), { ...options })) as T;
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /** All objects of a selection, fetched in pages of 500. */
  async list<T extends KubeObject>(
    type: ResourceType<T>,
    selection: Selection = {},
    options?: CallOptions,
  ): Promise<T[]> {
    const items: T[] = [];
    for (let next: string | undefined; ;) {
      const page = await this.listPage(type, { ...selection, next }, options);
      items.push(...page.items);
      next = page.next;
      if (next === undefined) return items;
    }
  }

  /** One page of a list; `limit` 0 asks for everything at once. @throws KubeError `Expired` for an old page token */
  async listPage<T extends KubeObject>(
    type: ResourceType<T>,
    page: Selection & { next?: string; limit?: number },
    options?: CallOptions,
  ): Promise<Page<T>> {
    const { namespace, labelSelector, fieldSelector, next, limit = PAGE_SIZE } = page;
    const query = { labelSelector, fieldSelector, limit: limit || undefined, continue: next };
    const list = (await this.#send(type, 'list', { namespace }, { ...options, query })) as {
      kind?: string;
      metadata: { resourceVersion: string; continue?: string };
      items: T[] | null;
    };
    // Items of a list carry neither kind nor version of their own.
    const kind = list.kind?.replace(/List$/, '') ?? type.kind;
    const items = (list.items ?? []).map(item => ({ ...item, apiVersion: type.apiVersion, kind }));
    return { items, resourceVersion: list.metadata.resourceVersion, next: list.metadata.continue || undefined };
  }

  /**
   * Changes of a selection since a resource version, until the server ends the watch or the signal aborts.
   * @throws KubeError; `Expired` when the version is too old, `Silent` when the connection seems dead
   */
  async *watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const { namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, silenceMs } = options;
    const query = { watch: true, allowWatchBookmarks: true, timeoutSeconds, resourceVersion };
    const parts = { query: { ...query, labelSelector, fieldSelector } };
    const { call, request } = requestOf(type, 'watch', { namespace }, parts);
    request.headers['user-agent'] = this.fieldManager;
    const silence = new AbortController();
    const guard = new SilenceGuard(this.#caller.clock, silenceMs, () => silence.abort());
    try {
      const signal = AbortSignal.any([options.signal, silence.signal]);
      const body = await this.#caller.open(call, { ...request, signal });
      for await (const line of jsonLines(noticing(body, () => guard.seen()))) {
        const event = watchEvent<T>(describeCall(call), line as RawEvent<T>);
        if (event) yield event;
      }
    } catch (error) {
      const reason = silence.signal.aborted ? 'Silent' : options.signal.aborted ? 'Aborted' : undefined;
      throw errorOfTransport(describeCall(call), error, reason);
    } finally {
      guard.stop();
    }
  }

  /** @throws KubeError `AlreadyExists` */
  async create<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T> {
    const target = { namespace: object.metadata.namespace };
    return (await this.#send(type, 'create', target, { ...this.#write(options), body: object })) as T;
  }

  /** Writes the whole object. With `metadata.resourceVersion` only over that version. @throws KubeError `Conflict` */
  async replace<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T> {
    return (await this.#send(type, 'update', at(object.metadata), { ...this.#write(options), body: object })) as T;
  }

  /** Writes the whole status subresource; `object` holds identity and status. @throws KubeError `Conflict` */
  async replaceStatus<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T> {
    const target = { ...at(object.metadata), subresource: 'status' };
    return (await this.#send(type, 'update', target, { ...this.#write(options), body: object })) as T;
  }

  /** Server-side apply: creates or changes, owns the fields given, gives up those formerly given. Takes fields over. */
  async apply<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T> {
    return this.#apply(type, object, at(object.metadata), options);
  }

  /** Server-side apply of the status subresource: `object` holds identity and status only. */
  async applyStatus<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T> {
    return this.#apply(type, object, { ...at(object.metadata), subresource: 'status' }, options);
  }

  /** JSON merge patch: null removes a field, a list is replaced as a whole. */
  async patchMerge<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: object,
    options?: PatchOptions,
  ): Promise<T> {
    return this.#merge(type, at(ref), patch, options);
  }

  /** JSON merge patch of the status subresource; `status` is the content of `status`. */
  async patchStatus<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    status: object,
    options?: PatchOptions,
  ): Promise<T> {
    return this.#merge(type, { ...at(ref), subresource: 'status' }, { status }, options);
  }

  /** True if the server took the request, false if there was nothing to delete. @throws KubeError `Conflict` */
  async delete(type: ResourceType, ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    const { uid, resourceVersion, graceSeconds, propagation = 'Background', ...rest } = options;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: graceSeconds,
      propagationPolicy: propagation,
      preconditions: uid || resourceVersion ? { uid, resourceVersion } : undefined,
    };
    try {
      await this.#send(type, 'delete', at(ref), { ...rest, body });
      return true;
    } catch (error) {
      if (isReason(error, 'NotFound')) return false;
      throw error;
    }
  }

  async #apply<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    target: Target,
    options?: WriteOptions,
  ): Promise<T> {
    const sent = this.#write(options);
    const query = { ...sent.query, force: true };
    return (await this.#send(type, 'patch', target, { ...sent, query, body: object, contentType: APPLY_PATCH })) as T;
  }

  async #merge<T extends KubeObject>(
    type: ResourceType<T>,
    target: Target,
    patch: object,
    options: PatchOptions = {},
  ): Promise<T> {
    const { resourceVersion, ...rest } = options;
    const given = patch as { metadata?: object };
    const body = resourceVersion ? { ...given, metadata: { ...given.metadata, resourceVersion } } : given;
    return (await this.#send(type, 'patch', target, {
      ...this.#write(rest),
      body,
      contentType: MERGE_PATCH,
    })) as T;
  }

  #write(options: WriteOptions = {}): CallOptions & { query: Query } {
    const { fieldManager = this.fieldManager, ...rest } = options;
    return { ...rest, query: { fieldManager } };
  }

  async #send(
    type: ResourceType,
    verb: Verb,
    target: Target,
    options: CallOptions & { query?: Query; body?: object; contentType?: string },
  ): Promise<unknown> {
    const { query, body, contentType, ...limits } = options;
    const { call, request } = requestOf(type, verb, target, { query, body, contentType });
    request.headers['user-agent'] = this.fieldManager;
    return this.#caller.send(call, request, limits);
  }
}
