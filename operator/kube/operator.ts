import { readFile } from 'node:fs/promises';
import k8sOperator, { ResourceEventType, type ResourceEvent, type ResourceMeta } from '@dot-i/k8s-operator';
import { parse } from 'yaml';
import type { CallHook } from './call.ts';
import type { KubeClient } from './client.ts';
import { Controller, type ControllerMetrics, type ControllerOptions } from './controller.ts';
import { KubeError } from './errors.ts';
import { addFinalizer, removeFinalizer } from './finalizers.ts';
import type { Cache } from './informer.ts';
import { Informers, type WatchFigures, type WatchRequest, type WatchStats } from './informers.ts';
import { LeaderElector, type LeaderTiming } from './leader.ts';
import type { ReflectorTiming } from './reflector.ts';
import { ResourceEvents } from './resource-events.ts';
import { RESOURCES, resource, type CustomResourceDefinition, type ResourceType } from './resources.ts';
import { type KubeObject, type Logger, type ObjectRef } from './types.ts';

/** Where the figures go; operator/observe's Metrics fits. */
export interface OperatorMetrics extends ControllerMetrics {
  /** Figures of all watches of one kind, by its plural. */
  watch(name: string, stats: () => WatchFigures): void;
  leader(name: string, isLeader: () => boolean): void;
}

export interface StackOperatorOptions {
  /** Closed at the end of drain. */
  client: KubeClient;
  log: Logger;
  metrics?: OperatorMetrics;
  /** Absent: there is only one, and it acts at once. */
  election?: { lease: Required<ObjectRef>; identity: string; timing?: LeaderTiming };
  /** How long a drain waits for running reconciles, ms (default 20 s, within a pod's 30 s). */
  drainMs?: number;
  reflector?: Partial<ReflectorTiming>;
}

interface Crd {
  group: string;
  versions: NonNullable<CustomResourceDefinition['spec']>['versions'];
  plural: string;
}

/**
 * The operator base class with its public shape kept and its inside replaced: watches that nothing ends, events by key
 * and again after failures, calls that throw, a shared pool, leader election, drain. Nothing in here exits the process.
 *
 * In `init`, declare watches (`watch`, `watchResource`) and controllers (`controller`). Watches run on the standby too;
 * controllers run on the leader, once all watches have had their first list.
 */
export abstract class StackOperator extends k8sOperator.default {
  /** Calls that write are refused unless this process leads. */
  protected readonly client: KubeClient;
  protected readonly log: Logger;
  readonly #options: StackOperatorOptions;
  readonly #informers: Informers;
  readonly #elector: LeaderElector | undefined;
  readonly #controllers: Controller[] = [];
  readonly #types = new Map<string, ResourceType>();
  #warming: Promise<void> = Promise.resolve();
  #isActing = false;
  #draining: Promise<boolean> | undefined;

  constructor(options: StackOperatorOptions) {
    super(options.log);
    this.#options = options;
    this.log = options.log;
    this.client = options.client.withHooks(this.#writeGuard());
    this.#informers = new Informers({ source: options.client, log: options.log, timing: options.reflector });
    this.#elector = options.election && this.#candidate(options.election);
  }

  /** Resolves when `init` is through and the watches are on their way. */
  override async start(): Promise<void> {
    await this.init();
    this.#offerFigures();
    this.#informers.start();
    this.#warming = this.#actWhenWarm();
  }

  /** Begins a drain without waiting for it. */
  override stop(): void {
    void this.drain();
  }

  /**
   * Ends everything in order: no new reconciles, the running ones to their end, the lease handed over, watches and
   * connections closed. False when reconciles had to be called off after the limit. Afterwards nothing is left running.
   */
  drain(): Promise<boolean> {
    this.#draining ??= this.#drainOnce();
    return this.#draining;
  }

  /** May this process act now? */
  get isLeader(): boolean {
    return this.#elector ? this.#elector.isLeader : this.#isActing;
  }

  /** State of each watch; ready means all `isSynced`. */
  get watchStats(): WatchStats[] {
    return this.#informers.stats;
  }

  /** This process begins to lead; called before its controllers run. */
  protected onLeading(): void {
    return;
  }

  /** This process leads no more; called before its running reconciles are called off. */
  protected onStandby(): void {
    return;
  }

  /** A cache of these objects that follows the cluster. */
  protected watch<T extends KubeObject>(type: ResourceType<T>, request?: WatchRequest<T>): Cache<T> {
    return this.#informers.watch(type, request);
  }

  /** A controller that runs while this process leads. */
  protected controller(options: Omit<ControllerOptions, 'log' | 'metrics'>): Controller {
    return this.#add(new Controller({ ...options, log: this.log, metrics: this.#options.metrics }));
  }

  // eslint-disable-next-line max-params -- the base class's signature
  protected override watchResource(
    group: string,
    version: string,
    plural: string,
    onEvent: (event: ResourceEvent) => Promise<void>,
    namespace?: string,
  ): Promise<void> {
    // The kind is not known here; lists and events name it.
    const type = resource<KubeObject>(group ? `${group}/${version}` : version, '', plural);
    const events = new ResourceEvents(type, onEvent, { log: this.log, metrics: this.#options.metrics });
    this.#types.set(`${plural}.${type.apiVersion}`, type);
    this.#add(events.controller);
    events.follow(this.watch(type, namespace ? { namespaces: [namespace] } : {}));
    return Promise.resolve();
  }

  /** As in the base class, but a conflict is thrown, and the event's object stays as it is. */
  protected override async handleResourceFinalizer(
    event: ResourceEvent,
    finalizer: string,
    deleteAction: (event: ResourceEvent) => Promise<void>,
  ): Promise<boolean> {
    const object = event.object as KubeObject;
    if (event.type === ResourceEventType.Deleted) return false;
    const type = this.#typeOf(event.meta);
    if (!object.metadata.deletionTimestamp) {
      return (await addFinalizer(this.client, type, object, finalizer)) !== object;
    }
    if (object.metadata.finalizers?.includes(finalizer)) {
      await deleteAction(event);
      await removeFinalizer(this.client, type, object, finalizer);
    }
    return true;
  }

  protected override async setResourceFinalizers(meta: ResourceMeta, finalizers: string[]): Promise<void> {
    const { resourceVersion } = meta;
    await this.client.patchMerge(this.#typeOf(meta), meta, { metadata: { finalizers } }, { resourceVersion });
  }

  protected override async setResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    const { apiVersion, kind, name, namespace, resourceVersion } = meta;
    const object = { apiVersion, kind, metadata: { name, namespace, resourceVersion }, status };
    return metaOf(meta, await this.client.replaceStatus(this.#typeOf(meta), object));
  }

  protected override async patchResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    const { resourceVersion } = meta;
    const options = { resourceVersion };
    return metaOf(meta, await this.client.patchStatus(this.#typeOf(meta), meta, status as object, options));
  }

  protected override getCustomResourceApiUri(
    group: string,
    version: string,
    plural: string,
    namespace?: string,
  ): string {
    const server = this.kubeConfig.getCurrentCluster()?.server ?? '';
    const place = namespace ? `namespaces/${namespace}/` : '';
    return `${server}${group ? `/apis/${group}` : '/api'}/${version}/${place}${plural}`;
  }

  /** Creates the definition or brings an older one up to date. @throws Error when the file holds something else */
  protected override async registerCustomResourceDefinition(crdFile: string): Promise<Crd> {
    const crd = parse(await readFile(crdFile, 'utf8')) as CustomResourceDefinition;
    if ((crd.kind as string) !== RESOURCES.customResourceDefinitions.kind)
      throw new Error(`${crdFile} holds no CustomResourceDefinition`);
    // Every replica does this when it starts, leader or not.
    await this.#options.client.apply(RESOURCES.customResourceDefinitions, crd);
    const { group, names, versions } = crd.spec;
    return { group, versions, plural: names.plural };
  }

  #offerFigures(): void {
    const { election, metrics } = this.#options;
    if (!metrics) return;
    if (election) metrics.leader(election.lease.name, () => this.isLeader);
    this.#informers.offerFigures((plural, figures) => metrics.watch(plural, figures));
  }

  #typeOf(meta: ResourceMeta): ResourceType {
    const known = this.#types.get(meta.id);
    if (!known) throw new Error(`${meta.id} is not watched`);
    return { ...known, kind: meta.kind, namespaced: meta.namespace !== undefined };
  }

  #add(controller: Controller): Controller {
    this.#controllers.push(controller);
    if (this.#isActing) controller.open();
    return controller;
  }

  #candidate(election: NonNullable<StackOperatorOptions['election']>): LeaderElector {
    return new LeaderElector({
      ...election,
      client: this.#options.client,
      log: this.log,
      onStarted: () => this.#act(),
      onLost: () => this.#standBy(),
    });
  }

  async #actWhenWarm(): Promise<void> {
    if (!(await this.#informers.areSynced()) || this.#draining) return;
    this.log.info('all watches are synced');
    if (this.#elector) this.#elector.start();
    else this.#act();
  }

  #act(): void {
    this.#isActing = true;
    this.onLeading();
    for (const controller of this.#controllers) controller.open();
  }

  #standBy(): void {
    this.#isActing = false;
    this.onStandby();
    for (const controller of this.#controllers) controller.abort();
  }

  async #drainOnce(): Promise<boolean> {
    const { client, drainMs = 20_000 } = this.#options;
    const ended = await Promise.all(this.#controllers.map(controller => controller.close(drainMs)));
    for (const controller of this.#controllers) {
      controller.abort();
      controller.clear();
    }
    await this.#elector?.stop();
    this.#isActing = false;
    await this.#informers.stop();
    await this.#warming;
    await client.close();
    return ended.every(Boolean);
  }

  /** A reconcile that has not noticed yet that leadership is lost must not write any more. */
  #writeGuard(): CallHook {
    return {
      before: call => {
        const isRead = call.verb === 'get' || call.verb === 'list' || call.verb === 'watch';
        if (isRead || this.isLeader) return;
        throw new KubeError({ status: 0, reason: 'Aborted', message: 'this process does not lead: no writes' });
      },
    };
  }
}

function metaOf(before: ResourceMeta, object: KubeObject): ResourceMeta {
  return { ...before, resourceVersion: object.metadata.resourceVersion ?? before.resourceVersion };
}
