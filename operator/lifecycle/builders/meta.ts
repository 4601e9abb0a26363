import { API_GROUP, API_VERSION } from '../../model/names.ts';
import { clusterLabels, LABEL } from '../../model/labels.ts';
import type { ObjectMeta, OwnerReference } from '../../kube/types.ts';
import type { ClusterPlan, InstancePlan } from '../plan.ts';

/**
 * Owner of all children but retained volumes. `controller: true` also lets `kubectl drain` evict the bare engine pods:
 * it refuses pods that nobody would bring back.
 */
export function ownerReference(plan: Pick<ClusterPlan, 'name' | 'uid'>): OwnerReference {
  return {
    apiVersion: `${API_GROUP}/${API_VERSION}`,
    kind: 'MPDCluster',
    name: plan.name,
    uid: plan.uid,
    controller: true,
    blockOwnerDeletion: false,
  };
}

/** Metadata of a child object of the cluster. */
export function childMeta(
  plan: ClusterPlan,
  name: string,
  instance?: InstancePlan,
): ObjectMeta & { namespace: string; labels: Record<string, string> } {
  return {
    name,
    namespace: plan.namespace,
    labels: { ...clusterLabels(plan.name), ...(instance ? { [LABEL.instance]: instance.id } : {}) },
    ownerReferences: [ownerReference(plan)],
  };
}
