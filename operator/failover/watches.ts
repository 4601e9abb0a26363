import type { Cache } from '../kube/informer.ts';
import type { WatchRequest } from '../kube/informers.ts';
import {
  RESOURCES,
  type ConfigMap,
  type EndpointSlice,
  type Lease,
  type Node,
  type Pod,
  type ResourceType,
  type Secret,
} from '../kube/resources.ts';
import type { IndexFunction } from '../kube/store.ts';
import type { KubeObject } from '../kube/types.ts';
import { LABEL, MANAGED_BY } from '../model/labels.ts';
import { CLUSTER_MANAGER_TLS_SECRET } from '../model/names.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS, type RawCluster, type RawOperation } from '../kinds/mpd.ts';

/** All that is watched. */
export interface Caches {
  clusters: Cache<RawCluster>;
  operations: Cache<RawOperation>;
  pods: Cache<Pod>;
  slices: Cache<EndpointSlice>;
  /** Running parameters and switch logs. */
  configMaps: Cache<ConfigMap>;
  /** Records: to notice that somebody else changed one. Decisions read them directly. */
  leases: Cache<Lease>;
  nodes: Cache<Node>;
  certificate: Cache<Secret>;
}

type Watch = <T extends KubeObject>(type: ResourceType<T>, request?: WatchRequest<T>) => Cache<T>;

/** Index of what belongs to one cluster: `namespace/cluster`. */
export const BY_CLUSTER = 'cluster';

/** Only what carries our labels is watched: other people's objects cost nothing. */
const OURS = `${LABEL.managedBy}=${MANAGED_BY},${LABEL.cluster}`;

/** @param at the system namespace, and the namespaces with clusters (absent: all) */
export function watchAll(watch: Watch, at: { system: string; namespaces?: readonly string[] | undefined }): Caches {
  const { namespaces } = at;
  const places = namespaces && { namespaces };
  const child = { ...places, labelSelector: OURS, indexes: { [BY_CLUSTER]: byLabel } };
  return {
    clusters: watch(MPD_CLUSTERS, { ...places }),
    operations: watch(MPD_OPERATIONS, { ...places, indexes: { [BY_CLUSTER]: byTarget } }),
    pods: watch(RESOURCES.pods, { ...child, trim: trimPod }),
    slices: watch(RESOURCES.endpointSlices, child),
    configMaps: watch(RESOURCES.configMaps, child),
    leases: watch(RESOURCES.leases, child),
    nodes: watch(RESOURCES.nodes, { trim: trimNode }),
    certificate: watch(RESOURCES.secrets, {
      namespaces: [at.system],
      fieldSelector: `metadata.name=${CLUSTER_MANAGER_TLS_SECRET}`,
    }),
  };
}

/** Cluster that an object belongs to by its label, `namespace/name`. */
export function clusterKeyOf({ metadata }: KubeObject): string | undefined {
  const cluster = metadata.labels?.[LABEL.cluster];
  return cluster === undefined ? undefined : `${metadata.namespace ?? ''}/${cluster}`;
}

const byLabel: IndexFunction<KubeObject> = object => {
  const key = clusterKeyOf(object);
  return key === undefined ? [] : [key];
};

/** Operations belong to the cluster that they name, whoever made them. */
export const targetKeyOf = ({ metadata, spec }: RawOperation): string =>
  `${metadata.namespace ?? ''}/${spec.target.name}`;
const byTarget: IndexFunction<RawOperation> = operation => [targetKeyOf(operation)];

/** What we look at of a node; its images and addresses would be most of the memory, its heartbeat most of the events. */
function trimNode({ apiVersion, kind, metadata, spec, status }: Node): Node {
  const { name, uid, resourceVersion } = metadata;
  const ready = status?.conditions?.filter(condition => condition.type === 'Ready').map(plainCondition);
  const { taints, unschedulable } = spec ?? {};
  return {
    apiVersion,
    kind,
    metadata: { name, uid, resourceVersion },
    spec: { taints, unschedulable },
    ...(ready && { status: { conditions: ready } }),
  };
}

type NodeCondition = NonNullable<NonNullable<Node['status']>['conditions']>[number];
const plainCondition = ({ type, status }: NodeCondition): NodeCondition => ({ type, status });

/** What we look at of a pod. */
function trimPod(pod: Pod): Pod {
  const { apiVersion, kind, metadata, spec, status } = pod;
  const kept = { ...metadata, annotations: undefined, managedFields: undefined };
  const trimmed = spec && { nodeName: spec.nodeName, containers: [] };
  return { apiVersion, kind, metadata: kept, ...(trimmed && { spec: trimmed }), ...(status && { status }) };
}
