import type { Pod } from '../../kube/resources.ts';
import type { GrantNote } from '../../ha/record.ts';
import type { TerminatedContainer } from '../../ha/evidence.ts';

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

const engineStatus = (pod: Pod): ContainerStatus | undefined =>
  pod.status?.containerStatuses?.find(status => status.name === 'engine');

/** Where the engine container of this pod runs; undefined until the kubelet has said so. */
export function runningContainer(pod: Pod): GrantNote | undefined {
  const status = engineStatus(pod);
  const startedAt = status?.state?.running?.startedAt;
  const node = pod.spec?.nodeName;
  return status?.containerID && startedAt && node ? { containerId: status.containerID, startedAt, node } : undefined;
}

/** What the kubelet reports ended. The id is the one inside `terminated`, never the one beside `state`. */
export function terminatedContainers(pod: Pod): TerminatedContainer[] {
  const status = engineStatus(pod);
  return [status?.state?.terminated, status?.lastState?.terminated].flatMap(ended => {
    if (!ended?.containerID || !ended.startedAt || !ended.finishedAt) return [];
    const { containerID: containerId, startedAt, finishedAt, message } = ended;
    return [{ containerId, startedAt, finishedAt, ...(message && { message }) }];
  });
}

export const isLeaving = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

export const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True') ?? false;

/** Everything of a pod whose change calls for a look at its agent, as one text. */
export function podSign(pod: Pod | undefined): string {
  if (!pod) return 'none';
  const { containerId = 'none' } = runningContainer(pod) ?? {};
  return [pod.metadata.uid, containerId, pod.status?.podIP, isReady(pod), isLeaving(pod)].join(' ');
}

/** Why a pod does not run, in words for a condition; undefined when its engine container runs. */
export function obstacle(pod: Pod): Obstacle | undefined {
  if (runningContainer(pod)) return undefined;
  return unscheduled(pod) ?? failing(pod) ?? { reason: 'PodStarting', message: `pod ${pod.metadata.name} is starting` };
}

interface Obstacle {
  reason: string;
  message: string;
}

function unscheduled(pod: Pod): Obstacle | undefined {
  const verdict = pod.status?.conditions?.find(it => it.type === 'PodScheduled' && it.status === 'False');
  if (!verdict) return undefined;
  return { reason: 'PodUnscheduled', message: `pod ${pod.metadata.name}: ${verdict.message ?? 'no node fits'}` };
}

/** Reasons that every start passes through. */
const USUAL = ['PodInitializing', 'ContainerCreating'];

function failing(pod: Pod): Obstacle | undefined {
  const containers = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const stuck = containers.find(({ state }) => state?.waiting && !USUAL.includes(state.waiting.reason ?? ''));
  if (!stuck) return undefined;
  const why = [stuck.state?.waiting?.reason, stuck.state?.waiting?.message].filter(Boolean).join(': ');
  return { reason: 'PodFailing', message: `pod ${pod.metadata.name}, container ${stuck.name}: ${why}` };
}
