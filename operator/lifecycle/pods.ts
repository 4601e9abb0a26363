import { isLeaving } from '../kinds/pods.ts';
import { isReason } from '../kube/errors.ts';
import { hasFinalizer, removeFinalizer } from '../kube/finalizers.ts';
import { RESOURCES, type Pod } from '../kube/resources.ts';
import { ATTESTATION_ANNOTATION } from '../ha/ladder.ts';
import { mayRelease, type LeavingPod } from '../ha/release.ts';
import { clusterLabels, LABEL } from '../model/labels.ts';
import { POD_FINALIZER } from '../model/names.ts';
import { done, wait, type StepResult, type Wait } from '../workflow/step.ts';
import { buildPod } from './builders/pod.ts';
import { podOf, type ClusterContext } from './context.ts';
import { chooseHosts, isMadeForOthers, learnSharedVolume, waitForHost, waitForNode } from './host-choice.ts';
import { isOutOfService } from './gather/nodes.ts';
import { readRecord } from './gather/record.ts';
import { obstacle } from './gather/pods.ts';
import type { ClusterInstance } from '../kinds/instances.ts';

/**
 * Makes the pods that are missing. Pods that are there are never replaced. While the site cannot say what a pod has to be
 * none is made; the watch of its settings wakes us.
 */
export async function ensurePods(context: ClusterContext): Promise<void> {
  if (context.plan.unresolved !== undefined) return;
  for (const instance of context.plan.instances) {
    const pod = podOf(context.children, instance);
    if (!pod) await createPod(context, instance);
    else if (!pod.spec?.nodeName) await withdrawMisplaced(context, instance, pod);
  }
}

/** Of a pod that no node has nothing ever ran. A scheduler that was faster than we has changed it: then it stays. */
async function withdrawMisplaced(context: ClusterContext, instance: ClusterInstance, pod: Pod): Promise<void> {
  if (!isMadeForOthers(pod, chooseHosts(context, instance))) return;
  const { uid, resourceVersion, name, namespace } = pod.metadata;
  try {
    await context.tools.client.delete(RESOURCES.pods, { name, namespace }, { uid, resourceVersion });
    context.tools.log.info('withdrew pod: other hosts may take it now', { pod: name });
  } catch (error) {
    if (!isReason(error, 'Conflict')) throw error;
  }
}

/** A pod of that name that the watch has not shown yet, or that still goes, is no error: the watch wakes us again. */
async function createPod(context: ClusterContext, instance: ClusterInstance): Promise<void> {
  const { plan, tools } = context;
  await learnSharedVolume(context);
  const hosts = chooseHosts(context, instance);
  if (hosts.isHopeless) return;
  const wanted = buildPod(plan, instance, hosts);
  try {
    await tools.client.create(RESOURCES.pods, wanted);
    tools.log.info('created pod', { instance: instance.id, pod: instance.podName });
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
    await bringIntoSight(context, wanted);
  }
}

/**
 * The watch shows only what carries our labels; a pod that lost them would be waited for without end.
 * @throws Error when the pod is not ours
 */
async function bringIntoSight({ plan, tools }: ClusterContext, { metadata }: Pod): Promise<void> {
  const ref = { namespace: plan.namespace, name: metadata.name };
  const found = await tools.client.get(RESOURCES.pods, ref);
  const has = found?.metadata.labels ?? {};
  if (!found || Object.entries(clusterLabels(plan.name)).every(([name, value]) => has[name] === value)) return;
  if (!found.metadata.ownerReferences?.some(({ uid }) => uid === plan.uid)) {
    throw new Error(`pod ${metadata.name} is not of this cluster; remove it`);
  }
  await tools.client.patchMerge(RESOURCES.pods, ref, { metadata: { labels: metadata.labels } });
}

/** Waits until these engine containers run; says of the first that does not why. The watch of pods wakes it. */
export function podsRunning(context: ClusterContext, instances: readonly ClusterInstance[]): StepResult {
  for (const instance of instances) {
    const pod = podOf(context.children, instance);
    const blocked = pod ? waitForPod(context, instance, pod) : waitForMissing(context, instance);
    if (blocked) return blocked;
  }
  return done();
}

function waitForMissing(context: ClusterContext, instance: ClusterInstance): Wait {
  const { unresolved } = context.plan;
  if (unresolved !== undefined) return wait('Refused', unresolved);
  const hosts = chooseHosts(context, instance);
  return hosts.isHopeless ? waitForHost(instance, hosts) : missing(instance);
}

function waitForPod(context: ClusterContext, instance: ClusterInstance, pod: Pod): Wait | undefined {
  if (isLeaving(pod)) return missing(instance);
  const blocked = obstacle(pod);
  if (blocked?.reason !== 'PodUnscheduled') return blocked && wait(blocked.reason, blocked.message);
  return waitForNode(context, blocked.message, chooseHosts(context, instance));
}

const missing = ({ podName }: ClusterInstance): Wait => wait('PodMissing', `pod ${podName} is not there yet`);

/** Asks the API server to delete all engine pods; done when none is left. */
export async function removePods(context: ClusterContext): Promise<StepResult> {
  const { children, tools } = context;
  // Once the cluster has gone, nobody would release a pod that the watch had not shown.
  const pods = children.pods.length > 0 ? children.pods : await readPods(context);
  for (const pod of pods.filter(it => !isLeaving(it))) {
    const { name, namespace, uid } = pod.metadata;
    await tools.client.delete(RESOURCES.pods, { name, namespace }, { uid });
  }
  await releasePods(context);
  const [left] = pods;
  return left ? wait('PodStopping', `pod ${left.metadata.name} is stopping`, { retryInMs: 1_000 }) : done();
}

function readPods({ plan, tools }: ClusterContext): Promise<Pod[]> {
  const labelSelector = `${LABEL.cluster}=${plan.name},${LABEL.component}=engine`;
  return tools.client.list(RESOURCES.pods, { namespace: plan.namespace, labelSelector });
}

/**
 * Lets pods go that are being deleted and whose engine is proven stopped. The finalizer keeps evidence and name: until
 * then nobody can make a twin of the same name, and a force-deleted pod can still be proven.
 */
export async function releasePods(context: ClusterContext): Promise<void> {
  const leaving = context.children.pods.filter(pod => isLeaving(pod) && hasFinalizer(pod, POD_FINALIZER));
  if (leaving.length === 0) return;
  const record = await readRecord(context);
  for (const pod of leaving) {
    if (mayRelease(leavingPod(context, pod), record).release) await release(context, pod);
  }
}

/** What the rule of release looks at. */
function leavingPod(context: ClusterContext, { metadata, spec, status }: Pod): LeavingPod {
  const node = spec?.nodeName;
  const isCollected = (status?.conditions ?? []).some(
    ({ type, reason }) => type === 'DisruptionTarget' && reason === 'DeletionByPodGC',
  );
  const word = context.cluster.metadata.annotations?.[ATTESTATION_ANNOTATION] ?? '';
  const uid = metadata.uid ?? '';
  const isOff = node !== undefined && isOutOfService(context.tools.node(node));
  return { uid, node, phase: status?.phase, isCollected, isHostOff: isOff || word.includes(`/${uid}/`) };
}

async function release({ tools }: ClusterContext, pod: Pod): Promise<void> {
  try {
    await removeFinalizer(tools.client, RESOURCES.pods, pod, POD_FINALIZER);
    tools.log.info('released pod: its engine is proven stopped', { pod: pod.metadata.name });
  } catch (error) {
    // It has changed: the watch shows the new state and wakes us.
    if (!isReason(error, 'Conflict')) throw error;
  }
}
