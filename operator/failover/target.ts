import { engineOf, parseCluster, type MPDCluster } from '../../crds/mpdcluster.ts';
import { hashSettings } from '../agent-api/hash.ts';
import { findCondition } from '../kube/conditions.ts';
import { hasFinalizer } from '../kube/finalizers.ts';
import type { ConfigMap } from '../kube/resources.ts';
import { CLUSTER_FINALIZER } from '../model/names.ts';
import type { EngineName, Topology } from '../model/roles.ts';
import { readParameterMap } from '../settings/parameter-map.ts';
import type { RawCluster } from '../kinds/mpd.ts';
import { instancesOf, type ClusterInstance } from '../kinds/instances.ts';

/** One group as its MPDCluster describes it: who its members are and what is wanted of it. */
export interface GroupTarget {
  namespace: string;
  name: string;
  uid: string;
  cluster: MPDCluster;
  /** As it came from the API server: Events are about it, status is written over its version. */
  object: RawCluster;
  engine: EngineName;
  topology: Topology;
  wanted: 'running' | 'stopped';
  /** Instances that have their ids, in the order of their ids; the first creation begins with the first. */
  instances: readonly ClusterInstance[];
  /** Parameters that are in force; none until the operator has written them down. */
  settings: Readonly<Record<string, string>>;
  /** As agents tell theirs. */
  settingsHash: string;
}

/** What is watched beside the cluster itself. */
export interface TargetParts {
  /** Which `spec.operatorName` is ours. */
  operatorName: string;
  /** Is there a record of this group? */
  hasRecord: boolean;
  /** `<cluster>-running-params`. */
  params: ConfigMap | undefined;
}

/**
 * @returns undefined when there is nothing to answer for: another operator's cluster, one of the original, one that
 * cannot be read, or one without ids
 */
export function targetOf(object: RawCluster, parts: TargetParts): GroupTarget | undefined {
  if (!isOurs(object, parts)) return undefined;
  const cluster = parseCluster(object as unknown as Parameters<typeof parseCluster>[0]).value;
  const instances = cluster ? instancesOf(cluster) : [];
  if (!cluster || instances.length === 0) return undefined;
  const { metadata, spec } = cluster;
  const isLeaving = metadata.deletionTimestamp !== undefined;
  const settings = settingsOf(parts.params, metadata.uid);
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    cluster,
    object,
    engine: engineOf(spec),
    topology: spec.dbClusterType,
    wanted: spec.stopped || isLeaving ? 'stopped' : 'running',
    instances,
    settings,
    settingsHash: hashSettings(settings),
  };
}

/** Members of this group stream from the RW; those on the volume of stock PostgreSQL stand ready instead. */
export const hasStreaming = ({ topology, engine }: Pick<GroupTarget, 'topology' | 'engine'>): boolean =>
  topology === 'local' || engine === 'polardb';

/** A cluster that the original runs has its ids and neither record nor condition of ours: it is left untouched. */
function isOurs({ metadata, spec, status }: RawCluster, { operatorName, hasRecord }: TargetParts): boolean {
  if ((spec.operatorName ?? 'polar-mpd') !== operatorName) return false;
  if (metadata.deletionTimestamp && !hasFinalizer({ metadata } as RawCluster, CLUSTER_FINALIZER)) return false;
  return hasRecord || findCondition(status?.conditions, 'Accepted') !== undefined;
}

/** What a former cluster of the same name leaves to garbage collection is not in force here. */
function settingsOf(map: ConfigMap | undefined, uid: string): GroupTarget['settings'] {
  if (!map || map.metadata.ownerReferences?.some(owner => owner.uid !== uid)) return {};
  const { entries } = readParameterMap(map.metadata.name, map.data);
  return Object.fromEntries(entries.map(it => [it.name, it.value]));
}
