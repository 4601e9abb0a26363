import type { Pod } from '../kube/resources.ts';

/** As the kubelet reports a container. */
export type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

/** Of the container that engine and agent run in. */
export const engineStatus = (pod: Pod): ContainerStatus | undefined =>
  pod.status?.containerStatuses?.find(status => status.name === 'engine');

/** Is being deleted. */
export const isLeaving = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;
