import type { Cluster, Condition, ContainerStatus, Deployment, Pod } from './objects.ts';

/** What is missing of something that is waited for; undefined when it is there. */
export type Missing = string | undefined;

const conditionOf = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find(condition => condition.type === type);

/** All replicas of the newest template, and enough of them in service. */
export function missingOfDeployment(deployment: Deployment | undefined): Missing {
  if (!deployment) return 'it is not there yet';
  const { metadata, spec, status = {} } = deployment;
  if (status.observedGeneration !== metadata.generation) return 'its change is not seen yet';
  const wanted = spec.replicas ?? 1;
  const updated = status.updatedReplicas ?? 0;
  if (updated < wanted || (status.replicas ?? 0) > updated)
    return `${updated} of ${wanted} replicas are of the new version`;
  const available = conditionOf(status.conditions, 'Available');
  return available?.status === 'True' ? undefined : (available?.message ?? 'no replica is ready');
}

/** The condition Ready of the newest spec, with the step of the operation that is going on. */
export function missingOfCluster(cluster: Cluster | undefined): Missing {
  if (!cluster) return 'it is not there yet';
  const { metadata, status = {} } = cluster;
  const ready = conditionOf(status.conditions, 'Ready');
  if (metadata.deletionTimestamp !== undefined) return 'it is being deleted';
  if (status.observedGeneration !== metadata.generation) return 'the operator has not seen it yet';
  if (ready?.status === 'True') return undefined;
  const { type, step } = status.operation ?? {};
  const where = type ? `${type}${step ? `, step ${step}` : ''}: ` : '';
  return `${where}${ready?.reason ?? 'Unknown'}: ${ready?.message ?? 'the operator has not judged it yet'}`;
}

/** Why a pod does not serve, as far as Kubernetes tells; undefined when it does. */
export function missingOfPod(pod: Pod): Missing {
  if (pod.metadata.deletionTimestamp !== undefined) return 'is stopping';
  const { conditions, initContainerStatuses = [], containerStatuses = [], phase } = pod.status ?? {};
  if (conditionOf(conditions, 'Ready')?.status === 'True') return undefined;
  const unscheduled = conditionOf(conditions, 'PodScheduled');
  if (unscheduled?.status === 'False') return unscheduled.message ?? 'no node fits';
  const reasons = [...initContainerStatuses, ...containerStatuses].flatMap(containerReason);
  return reasons.length > 0 ? reasons.join('; ') : `${phase ?? 'Unknown'}, not ready`;
}

function containerReason({ name, ready, state }: ContainerStatus): string[] {
  const { waiting, terminated } = state ?? {};
  if (waiting) return [`${name}: ${[waiting.reason, waiting.message].filter(Boolean).join(': ')}`];
  if (terminated && !ready) return [`${name}: ended (${terminated.reason ?? terminated.exitCode})`];
  return [];
}
