import {
  targetClass,
  type ClusterStatus,
  type InstanceStatus,
  type MPDCluster,
  type MPDClusterStatus,
} from '../../crds/mpdcluster.ts';
import { isLeaving } from '../kinds/pods.ts';
import { setConditions, type ConditionUpdate } from '../kube/conditions.ts';
import type { Pod } from '../kube/resources.ts';
import type { UserError } from '../model/errors.ts';
import { LABEL, ORIGINAL_LABEL, roleLabel } from '../model/labels.ts';
import { podOf, type Children, type ClusterContext } from './context.ts';
import { clientAddress } from './gather/hosts.ts';
import { isReady } from './gather/pods.ts';
import { servingHolder } from './gather/record.ts';
import { imagesCondition } from './images.ts';
import type { ClusterPlan } from './plan.ts';
import { unapplied } from './unapplied.ts';
import type { ClusterInstance } from '../kinds/instances.ts';

type Conditions = NonNullable<MPDClusterStatus['conditions']>;

/** What this look at the cluster came to. */
export interface Verdict {
  clusterStatus: ClusterStatus;
  operation?: MPDClusterStatus['operation'];
  /** Why the cluster is not as wanted yet; absent when it is. */
  waiting?: { reason: string; message: string };
}

/** Status of a cluster whose spec this site can run. What the cluster manager says in it stays as it is. */
export function buildStatus(context: ClusterContext, verdict: Verdict): MPDClusterStatus {
  const { cluster, plan, children } = context;
  const { status } = cluster;
  const instances = plan.instances.map(it => [it.id, instanceStatus(context, it)] as const);
  const followers = plan.instances.filter(it => it.role === 'ro');
  const ready = followers.filter(it => isServing(children, it)).length;
  const images = imagesCondition(plan, cluster, context.hosts.all());
  const conditions = [accepted(context), readiness(context, verdict, ready), ...(images ? [images] : [])];
  return {
    ...status,
    observedGeneration: cluster.metadata.generation,
    clusterStatus: verdict.clusterStatus,
    conditions: judge(cluster, conditions, context.tools.now()),
    followerNum: followers.length,
    readyFollowers: ready,
    followers: `${ready}/${cluster.spec.followerNum}`,
    selector: followerSelector(plan),
    version: context.memory.engineVersion ?? status.version,
    insClassInfo: status.insClassInfo ?? { className: targetClass(cluster.spec) },
    versionCfg: status.versionCfg ?? { versionName: plan.images.versionName, engineImage: plan.images.engine },
    dbInstanceStatus: Object.fromEntries(instances),
    operation: verdict.operation,
  };
}

/** Status of a cluster that cannot run as it is written: one condition says why, the rest stays as it was. */
export function refusedStatus(cluster: MPDCluster, message: string, now: Date): MPDClusterStatus {
  const refusal = { type: 'Accepted', status: 'False', reason: 'Refused', message } as const;
  const isNew = cluster.status.logicId === undefined;
  const notReady = { type: 'Ready', status: 'False', reason: 'Refused', message } as const;
  return {
    ...cluster.status,
    observedGeneration: cluster.metadata.generation,
    clusterStatus: cluster.status.clusterStatus ?? 'Creating',
    conditions: judge(cluster, isNew ? [refusal, notReady] : [refusal], now),
  };
}

export const ADOPTION_REQUIRED: ConditionUpdate = {
  type: 'AdoptionRequired',
  status: 'True',
  reason: 'ForeignCluster',
  message:
    'this cluster was made by the original operator; it is left untouched. Move its data to a new cluster, or keep the original',
};

/** Stored under another CRD, such as the original's. */
export const unreadable = (problems: readonly UserError[]): ConditionUpdate => ({
  type: 'Accepted',
  status: 'False',
  reason: 'Unreadable',
  message: problems.map(problem => problem.message).join('; '),
});

type ConditionVerdict = Omit<ConditionUpdate, 'observedGeneration'>;

/** All that is judged speaks of the generation that was looked at; conditions that nobody judges now stay. */
function judge({ status, metadata }: MPDCluster, verdicts: readonly ConditionVerdict[], now: Date): Conditions {
  const updates = verdicts.map(verdict => ({ ...verdict, observedGeneration: metadata.generation }));
  return [...setConditions(status.conditions, updates, now)];
}

function isServing(children: Children, instance: ClusterInstance): boolean {
  const pod = podOf(children, instance);
  return pod !== undefined && isReady(pod) && !isLeaving(pod);
}

function instanceStatus(context: ClusterContext, instance: ClusterInstance): InstanceStatus {
  const { cluster, plan, children } = context;
  const before = cluster.status.dbInstanceStatus?.[instance.id] ?? {};
  const ready = isServing(children, instance);
  return {
    ...before,
    ...placeOf(context, before, podOf(children, instance)),
    installed: before.installed === true || ready,
    ready,
    versionInfo:
      plan.unresolved === undefined
        ? { versionName: plan.images.versionName, engineImage: plan.images.engine }
        : before.versionInfo,
  };
}

/** Where its pod is; while it has none, where the last one was. Without a daemon a host has one address for all. */
function placeOf(
  { hosts, tools }: ClusterContext,
  before: InstanceStatus,
  pod: Pod | undefined,
): Pick<InstanceStatus, 'nodeName' | 'hostClientIP' | 'netInfo'> {
  const { podIP, hostIP } = pod?.status ?? {};
  const nodeName = pod?.spec?.nodeName ?? before.nodeName;
  return {
    nodeName,
    hostClientIP: clientAddress(hosts.of(nodeName ?? ''), tools.now(), before) ?? hostIP ?? before.hostClientIP,
    netInfo: { ...before.netInfo, ...(podIP && { workingHostIP: podIP }) },
  };
}

const SPEC_ACCEPTED: ConditionVerdict = {
  type: 'Accepted',
  status: 'True',
  reason: 'SpecAccepted',
  message: 'this site can run what spec asks for',
};

function accepted(context: ClusterContext): ConditionVerdict {
  const { unresolved } = context.plan;
  const refusal = (message: string): ConditionVerdict => {
    return { type: 'Accepted', status: 'False', reason: 'Refused', message };
  };
  if (unresolved !== undefined) return refusal(unresolved);
  const left = unapplied(context);
  if (left.length === 0) return SPEC_ACCEPTED;
  return refusal(`${left.join('; ')}: such changes are not in this release, take them back`);
}

function readiness(context: ClusterContext, { clusterStatus, waiting }: Verdict, ready: number): ConditionVerdict {
  const { cluster } = context;
  const no = (reason: string, message: string): ConditionVerdict => ({
    type: 'Ready',
    status: 'False',
    reason,
    message,
  });
  if (waiting) return no(waiting.reason, waiting.message);
  if (clusterStatus !== 'Running')
    return no(clusterStatus || 'Creating', `the cluster is ${clusterStatus || 'Creating'}`);
  if (!hasWriter(context)) return no('NoWriter', 'no instance accepts writes now');
  if (ready < cluster.spec.followerNum) {
    return no('FollowersNotReady', `${ready} of ${cluster.spec.followerNum} read-only instances are ready`);
  }
  const isAsAsked = accepted(context).status === 'True';
  const message = isAsAsked ? 'the cluster is as spec asks' : 'all instances are ready; of spec see condition Accepted';
  return { type: 'Ready', status: 'True', reason: 'AllInstancesReady', message };
}

/** The RW Service leads to an instance whose pod is Ready. */
function hasWriter(context: ClusterContext): boolean {
  const holder = servingHolder(context);
  const rw = holder && context.plan.instances.find(it => it.id === holder.instanceId);
  return rw !== undefined && isServing(context.children, rw);
}

function followerSelector(plan: ClusterPlan): string {
  return `${LABEL.cluster}=${plan.name},${ORIGINAL_LABEL.role}=${roleLabel('ro')}`;
}
