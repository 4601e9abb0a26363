import type { ObjectMeta, OwnerReference } from '../kube/types.ts';
import { clusterLabels } from '../model/labels.ts';
import { API_GROUP, API_VERSION } from '../model/names.ts';

/** The cluster that a child belongs to. */
export interface Owner {
  name: string;
  namespace: string;
  uid: string;
}

/**
 * Owner of all children but retained volumes. `controller: true` also lets `kubectl drain` evict the bare engine pods:
 * it refuses pods that nobody would bring back.
 */
export function ownerReference({ name, uid }: Pick<Owner, 'name' | 'uid'>): OwnerReference {
  return {
    apiVersion: `${API_GROUP}/${API_VERSION}`,
    kind: 'MPDCluster',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: false,
  };
}

/** Metadata of an object that goes with the cluster. */
export function childMeta(
  owner: Owner,
  name: string,
): ObjectMeta & { namespace: string; labels: Record<string, string> } {
  return {
    name,
    namespace: owner.namespace,
    labels: clusterLabels(owner.name),
    ownerReferences: [ownerReference(owner)],
  };
}
