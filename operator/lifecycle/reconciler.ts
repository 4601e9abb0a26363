import { parseCluster, type MPDCluster, type MPDClusterStatus } from '../../crds/mpdcluster.ts';
import { findCondition, setConditions, type ConditionUpdate } from '../kube/conditions.ts';
import { isReason, isServerDown } from '../kube/errors.ts';
import { addFinalizer, hasFinalizer, removeFinalizer } from '../kube/finalizers.ts';
import { patchStatusIfChanged } from '../kube/status.ts';
import { keyOf, refOf } from '../kube/types.ts';
import { UserError } from '../model/errors.ts';
import { CLUSTER_FINALIZER } from '../model/names.ts';
import type { SiteSettings } from '../settings/types.ts';
import type { StepResult } from '../workflow/step.ts';
import { gatherAsked, makeNeeded, takeWords } from './asked.ts';
import { catchUp, type Children, type ClusterContext, type Tools } from './context.ts';
import { FLOWS } from './flows/flows.ts';
import { MPD_CLUSTERS, type RawCluster, type RawOperation } from '../kinds/mpd.ts';
import { keepStopped, maintain, maintainStopped } from './maintain.ts';
import { Memory } from './memory.ts';
import { isOfClusterManager, isUnborn, pruneOperations, type ListedOperation } from './operations.ts';
import { announceInterrupt, withdrawInterrupt } from './interrupt.ts';
import { OperationRunner, verdictOf, type RanOperation } from './run-operation.ts';
import type { ClusterPlan } from './plan.ts';
import type { Hosts } from './gather/hosts.ts';
import { planOf, sharedClaimOf } from './gather/plan.ts';
import { refuseOrphans } from './orphans.ts';
import { ADOPTION_REQUIRED, buildStatus, refusedStatus, unreadable, type Verdict } from './status.ts';

/** What the watches know. */
export interface Sources {
  cluster(key: string): RawCluster | undefined;
  children(namespace: string, name: string): Children;
  operations(namespace: string, name: string): RawOperation[];
  site(): SiteSettings;
  hosts(): Hosts;
}

export interface ReconcilerOptions {
  tools: Tools;
  sources: Sources;
  /** Which `spec.operatorName` is ours. */
  operatorName: string;
  stackImage: string;
  pullPolicy: ClusterPlan['images']['pullPolicy'];
}

/** Certificates are looked at again this often though nothing happens, ms. */
const RESYNC_MS = 6 * 3_600_000;
/** A claim of the user's own is not watched; while one is missing it is looked for this often, ms. */
const REFUSED_MS = 5_000;

const UNBORN: Verdict = {
  clusterStatus: 'Creating',
  waiting: { reason: 'Stopped', message: 'spec.stopped is true: the cluster is made when it is false' },
};

/** Longest text of an error that status carries. */
const MESSAGE_LIMIT = 1024;

type Outcome = { requeueAfterMs: number } | undefined;

/** A wait without a date is woken by a watch; certificates are looked at all the same. */
const nextLook = (result: StepResult): number => (result.kind === 'wait' ? (result.retryInMs ?? RESYNC_MS) : RESYNC_MS);

/** Brings one MPDCluster to what its spec asks: gather, decide what is to be done, do it, report. */
export class ClusterReconciler {
  readonly #options: ReconcilerOptions;
  readonly #memories = new Map<string, Memory>();
  readonly #runner: OperationRunner;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#runner = new OperationRunner(options.tools);
  }

  /**
   * @param key `namespace/name`
   * @param signal aborts when this process may act no more
   */
  async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const raw = this.#options.sources.cluster(key);
    if (!raw) return this.#withoutCluster(key);
    if (!this.#isOurs(raw)) return undefined;
    if (this.#isForeign(raw)) return this.#judge(raw, ADOPTION_REQUIRED);
    const parsed = parseCluster(raw as unknown as Parameters<typeof parseCluster>[0]);
    if (parsed.problems) return this.#judge(raw, unreadable(parsed.problems));
    const cluster = parsed.value;
    try {
      return await this.#look(await this.#open(raw, cluster, signal));
    } catch (error) {
      if (error instanceof UserError) return this.#refuse(raw, cluster, error);
      throw error;
    }
  }

  async #withoutCluster(key: string): Promise<undefined> {
    const { sources, tools } = this.#options;
    const { namespace = '', name } = refOf(key);
    this.#memories.delete(key);
    await refuseOrphans(tools.client, sources.operations(namespace, name), tools.now);
  }

  #isOurs(raw: RawCluster): boolean {
    const isLeft = raw.metadata.deletionTimestamp !== undefined && !hasFinalizer(raw, CLUSTER_FINALIZER);
    return (raw.spec.operatorName ?? 'polar-mpd') === this.#options.operatorName && !isLeft;
  }

  /** A cluster that the original runs has its logic id, and none of the conditions that we write first. */
  #isForeign({ metadata, status }: RawCluster): boolean {
    if (status?.logicId === undefined) return false;
    const { leases } = this.#options.sources.children(metadata.namespace ?? '', metadata.name);
    return findCondition(status.conditions, 'Accepted') === undefined && leases.length === 0;
  }

  async #open(object: RawCluster, cluster: MPDCluster, signal: AbortSignal): Promise<ClusterContext> {
    const { sources, tools } = this.#options;
    const { namespace, name } = cluster.metadata;
    const key = keyOf(cluster.metadata);
    const memory = this.#memoryOf(key, cluster);
    const children = sources.children(namespace, name);
    const sharedClaim = await sharedClaimOf(tools.client, cluster);
    const { stackImage, pullPolicy } = this.#options;
    const site = sources.site();
    const plan = (of: MPDCluster): ClusterPlan =>
      planOf({ cluster: of, site, stackImage, pullPolicy, sharedClaim }, children);
    const context: ClusterContext = {
      object,
      cluster,
      plan: plan(cluster),
      children,
      site,
      hosts: sources.hosts(),
      tools,
      memory,
      signal,
      adopt: newer => {
        const { value } = parseCluster(newer as unknown as Parameters<typeof parseCluster>[0]);
        if (!value) throw new Error(`cluster ${key} was changed to something that cannot be read`);
        context.object = newer;
        context.cluster = value;
        context.plan = plan(value);
      },
    };
    return context;
  }

  /** Of this cluster: one of the same name may have come in its place between two looks. */
  #memoryOf(key: string, { metadata: { uid } }: MPDCluster): Memory {
    const known = this.#memories.get(key);
    const memory = known?.uid === uid ? known : new Memory(uid);
    this.#memories.set(key, memory);
    return memory;
  }

  async #look(context: ClusterContext): Promise<Outcome> {
    const { cluster } = context;
    // Before anything is made, so that nothing can be left behind.
    context.object = await addFinalizer(context.tools.client, MPD_CLUSTERS, context.object, CLUSTER_FINALIZER);
    const { namespace, name } = cluster.metadata;
    const seen = await this.#runner.withoutFormer(context, this.#options.sources.operations(namespace, name));
    const asked = await gatherAsked(context, seen);
    if (isUnborn(cluster)) return this.#report(context, UNBORN, undefined);
    if (!(await makeNeeded(context, asked))) return this.#deleteUnrecorded(context);
    if (await takeWords(context, asked)) return undefined;
    const { current, interrupted, needed, made, operations } = asked;
    if (current) return this.#run(context, current);
    if (interrupted) return this.#interrupted(context, interrupted);
    if (needed) return this.#pending(context, made);
    await pruneOperations(context.tools.client, operations);
    return this.#keep(context);
  }

  async #run(context: ClusterContext, operation: ListedOperation): Promise<Outcome> {
    if (isOfClusterManager(operation)) return this.#besideManager(context, operation);
    return this.#afterOperation(context, operation, await this.#runner.run(context, operation));
  }

  /** In a namespace that is being deleted nothing can be made, an operation neither; steps of a deletion need none. */
  async #deleteUnrecorded(context: ClusterContext): Promise<Outcome> {
    for (const step of FLOWS.delete?.steps ?? []) {
      const result = await step.run(context, { operation: context.cluster.metadata.uid, attempt: 1, data: {} });
      if (result.kind === 'done') continue;
      const { reason, message, retryInMs = 1_000 } = result;
      return this.#report(context, { clusterStatus: 'Deleting', waiting: { reason, message } }, retryInMs);
    }
    await removeFinalizer(context.tools.client, MPD_CLUSTERS, context.object, CLUSTER_FINALIZER);
    return undefined;
  }

  /** The operation that is needed was asked for just now, or has failed or was cancelled: then a person has to act. */
  async #pending(context: ClusterContext, operation: ListedOperation | undefined): Promise<Outcome> {
    const clusterStatus = context.cluster.status.clusterStatus || 'Creating';
    if (!operation) return this.#report(context, { clusterStatus }, undefined);
    const verdict = verdictOf(context, operation);
    // It has succeeded, and the program ended before it could say so.
    if (operation.phase === 'Succeeded') return this.#report(context, verdict, 0);
    return this.#keepBeside(context, operation, verdict);
  }

  /** The cluster manager moves the RW, or says why it does not. */
  #besideManager(context: ClusterContext, operation: ListedOperation): Promise<Outcome> {
    const verdict = verdictOf(context, operation);
    const isStopped = context.cluster.status.clusterStatus === 'Stopped';
    return this.#keepBeside(context, operation, isStopped ? { ...verdict, clusterStatus: 'Stopped' } : verdict);
  }

  /** Waits for a person. */
  async #interrupted(context: ClusterContext, operation: ListedOperation): Promise<Outcome> {
    if (await this.#runner.answer(context, operation)) {
      await withdrawInterrupt(context);
      return { requeueAfterMs: 0 };
    }
    const verdict = verdictOf(context, operation);
    await announceInterrupt(context, verdict);
    return this.#keepBeside(context, operation, verdict);
  }

  /**
   * Beside an operation that does not go on, what runs is kept running. What was being created, stopped or deleted is left
   * as it is: brought up again it would not be what the next step expects.
   */
  async #keepBeside(context: ClusterContext, operation: ListedOperation, verdict: Verdict): Promise<Outcome> {
    const { type, phase } = operation;
    if (type === 'create' || type === 'delete') return this.#report(context, verdict, undefined);
    const isDown = context.cluster.status.clusterStatus === 'Stopped' || (type === 'stop' && phase === 'Interrupted');
    const result = await this.#told(context, verdict, isDown ? maintainStopped : maintain);
    return this.#report(context, verdict, nextLook(result));
  }

  /** What fails is told, then tried again: nothing else would say why the cluster does not heal. */
  async #told(context: ClusterContext, verdict: Verdict, work: typeof maintain): Promise<StepResult> {
    try {
      return await work(context);
    } catch (error) {
      const passes = error instanceof UserError || isReason(error, 'Conflict') || isServerDown(error);
      if (passes || !(error instanceof Error)) throw error;
      const waiting = { reason: 'MaintenanceFailed', message: error.message.slice(0, MESSAGE_LIMIT) };
      await this.#report(context, { ...verdict, waiting }, undefined);
      throw error;
    }
  }

  async #afterOperation(context: ClusterContext, operation: ListedOperation, ran: RanOperation): Promise<Outcome> {
    if (operation.type === 'delete' && ran.verdict.clusterStatus === 'Deleting' && ran.isDone) {
      await removeFinalizer(context.tools.client, MPD_CLUSTERS, context.object, CLUSTER_FINALIZER);
      return undefined;
    }
    return this.#report(context, ran.verdict, ran.requeueAfterMs);
  }

  async #keep(context: ClusterContext): Promise<Outcome> {
    const isStopped = context.cluster.status.clusterStatus === 'Stopped';
    const clusterStatus = isStopped ? 'Stopped' : 'Running';
    const result = await this.#told(context, { clusterStatus }, isStopped ? keepStopped : maintain);
    const { reason = '', message = '' } = result.kind === 'wait' ? result : {};
    const waiting = result.kind === 'wait' && { waiting: { reason, message } };
    return this.#report(context, { clusterStatus, ...waiting }, nextLook(result));
  }

  async #report(context: ClusterContext, verdict: Verdict, requeueAfterMs: number | undefined): Promise<Outcome> {
    catchUp(context, this.#options.sources.cluster(keyOf(context.object.metadata)));
    await this.#writeStatus(context.object, buildStatus(context, verdict));
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  }

  async #refuse(raw: RawCluster, cluster: MPDCluster, error: UserError): Promise<Outcome> {
    const now = this.#options.tools.now();
    this.#options.tools.events.record(raw, { type: 'Warning', reason: 'Refused', message: error.message });
    await this.#writeStatus(raw, refusedStatus(cluster, error.message, now));
    return { requeueAfterMs: REFUSED_MS };
  }

  /** Says one thing of a cluster that is left alone otherwise. */
  async #judge(raw: RawCluster, update: ConditionUpdate): Promise<undefined> {
    const conditions = [...setConditions(raw.status?.conditions, [update], this.#options.tools.now())];
    await this.#writeStatus(raw, { conditions });
  }

  async #writeStatus(object: RawCluster, status: MPDClusterStatus): Promise<void> {
    await patchStatusIfChanged(this.#options.tools.client, MPD_CLUSTERS, object, status);
  }
}
