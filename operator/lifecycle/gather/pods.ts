import { engineStatus } from '../../kinds/pods.ts';
import type { Pod } from '../../kube/resources.ts';

export const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True') ?? false;

/** Why a pod does not run, in words for a condition; undefined when its engine container runs. */
export function obstacle(pod: Pod): Obstacle | undefined {
  if (engineStatus(pod)?.state?.running) return undefined;
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
