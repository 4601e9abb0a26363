import type { PersistentVolumeClaim } from '../../kube/resources.ts';
import { API_GROUP, dataClaimName } from '../../model/names.ts';
import type { ClusterPlan } from '../plan.ts';
import type { ClusterInstance } from '../../kinds/instances.ts';
import { instanceMeta } from './meta.ts';

/** A claim that outlived its cluster has the labels of the next one of that name; only this tells them apart. */
const OWNER = `${API_GROUP}/owner-uid`;

export const isClaimOf = ({ uid }: Pick<ClusterPlan, 'uid'>, { metadata }: PersistentVolumeClaim): boolean =>
  metadata.labels?.[OWNER] === uid;

/**
 * Claim of an instance's own volume. It has no owner reference: with `terminationPolicy: Retain` it outlives the
 * cluster, and garbage collection must never be what decides about data.
 */
export function buildDataClaim(plan: ClusterPlan, instance: ClusterInstance): PersistentVolumeClaim | undefined {
  if (plan.volume.kind !== 'own') return undefined;
  const { labels, name, namespace } = instanceMeta(plan, dataClaimName(plan.name, instance.id), instance);
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace, labels: { ...labels, [OWNER]: plan.uid } },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: plan.volume.size } },
      ...(plan.volume.storageClassName === undefined ? {} : { storageClassName: plan.volume.storageClassName }),
    },
  };
}
