import type { MPDCluster } from '../../../crds/mpdcluster.ts';
import type { KubeClient } from '../../kube/client.ts';
import { RESOURCES, type PersistentVolumeClaim } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import { runningParams } from '../../model/names.ts';
import { readParameterMap } from '../../settings/parameter-map.ts';
import type { Children } from '../context.ts';
import type { ClusterPlan } from '../plan.ts';
import { removalPlan, resolvePlan, type ResolveRequest } from '../resolve.ts';

/** The plan of a cluster with the parameters that are in force. @throws UserError naming field and remedy */
export function planOf(request: Omit<ResolveRequest, 'running'>, children: Children): ClusterPlan {
  const { name, uid, deletionTimestamp } = request.cluster.metadata;
  if (deletionTimestamp) return removalPlan(request.cluster);
  // What a former cluster of the same name leaves to garbage collection is not in effect here.
  const isFormers = ({ metadata }: KubeObject): boolean =>
    metadata.ownerReferences?.some(owner => owner.uid !== uid) ?? false;
  const map = children.configMaps.find(it => it.metadata.name === runningParams(name) && !isFormers(it));
  const running =
    map && Object.fromEntries(readParameterMap(map.metadata.name, map.data).entries.map(it => [it.name, it.value]));
  return resolvePlan({ ...request, running });
}

/** Looked at until the cluster has its ids; from then on its pods say whether the claim serves. */
export async function sharedClaimOf(
  client: KubeClient,
  { metadata, spec, status }: MPDCluster,
): Promise<{ volumeMode?: string } | undefined> {
  if (spec.dbClusterType !== 'share' || status.logicId !== undefined) return {};
  const ref = { namespace: metadata.namespace, name: spec.shareStore?.sharePvcName ?? '' };
  const claim: PersistentVolumeClaim | undefined = await client.get(RESOURCES.persistentVolumeClaims, ref);
  return claim?.spec;
}
