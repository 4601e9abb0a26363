import type { Cluster, Condition, ContainerStatus, Deployment, Operation, Pod } from './objects.ts';

/** What is missing of something that is waited for; undefined when it is there. */
export type Missing = string | undefined;

const conditionOf = (conditions: readonly Condition[] | undefined, type: string): Partial<Condition> =>
  conditions?.find(condition => condition.type === type) ?? {};

/** All replicas of the newest template, and enough of them in service. */
export function missingOfDeployment(deployment: Deployment | undefined): Missing {
  if (!deployment) return 'it is not there yet';
  const { metadata, spec, status } = deployment;
  if (status?.observedGeneration !== metadata.generation) return 'its change is not seen yet';
  const { updatedReplicas: updated = 0, replicas = 0, conditions } = status;
  if (updated < spec.replicas) return `${updated} of ${spec.replicas} replicas are of the new version`;
  if (replicas > updated) return `${replicas - updated} of the former version are ending`;
  const { status: available, message = 'no replica is ready' } = conditionOf(conditions, 'Available');
  return available === 'True' ? undefined : message;
}

/** The condition Ready of the newest spec, with the step of the operation that is going on. */
export function missingOfCluster(cluster: Cluster | undefined): Missing {
  if (!cluster) return 'it is not there yet';
  const { metadata, status } = cluster;
  if (metadata.deletionTimestamp !== undefined) return 'it is being deleted';
  if (status?.observedGeneration !== metadata.generation) return 'the operator has not seen it yet';
  const ready = conditionOf(status.conditions, 'Ready');
  if (ready.status === 'True') return undefined;
  return `${stepOf(status.operation)}${ready.reason ?? 'Unknown'}: ${ready.message ?? 'the operator has not judged it yet'}`;
}

function stepOf(operation: Operation | undefined): string {
  if (!operation) return '';
  const { type, step } = operation;
  return step ? `${type}, step ${step}: ` : `${type}: `;
}

/** Why a pod does not serve, as far as Kubernetes tells; undefined when it does. */
export function missingOfPod({ metadata, status = {} }: Pod): Missing {
  if (metadata.deletionTimestamp !== undefined) return 'is stopping';
  if (conditionOf(status.conditions, 'Ready').status === 'True') return undefined;
  const { status: scheduled, message = 'no node fits' } = conditionOf(status.conditions, 'PodScheduled');
  if (scheduled === 'False') return message;
  const { initContainerStatuses = [], containerStatuses = [], phase = 'Unknown' } = status;
  const reasons = [...initContainerStatuses, ...containerStatuses].flatMap(containerReason);
  return reasons.length > 0 ? reasons.join('; ') : `${phase}, not ready`;
}

function containerReason({ name, ready, state }: ContainerStatus): string[] {
  const { waiting, terminated } = state ?? {};
  if (waiting) return [`${name}: ${[waiting.reason, waiting.message].filter(Boolean).join(': ')}`];
  if (terminated && !ready) return [`${name}: ended (${terminated.reason ?? terminated.exitCode})`];
  return [];
}
