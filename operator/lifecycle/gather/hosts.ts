import { isIP } from 'node:net';
import type { ConfigMap, Node } from '../../kube/resources.ts';
import { HOST_CONDITION, silentSince } from '../../model/host.ts';
import { MAINTENANCE_LABEL } from '../../model/labels.ts';
import { hostVolumes, type HostVolumes } from './host-volumes.ts';

/** What a daemon says of its host in a condition of the node. */
export type HostCondition = NonNullable<NonNullable<Node['status']>['conditions']>[number];

/** One host, as its node and the facts of its daemon show it. A host without a daemon has no facts. */
export interface HostView {
  name: string;
  /** May new pods come here, as far as the node itself says? */
  isOpen: boolean;
  conditions: readonly HostCondition[];
  /** Does somebody listen at this port of the host? False where nobody told. */
  isPortUsed: (port: number) => boolean;
  /** Versions whose images are all here; absent where nobody told. */
  versions?: readonly string[];
  /** Absent where nobody told. */
  volumes?: HostVolumes;
}

/** The hosts, from the watches. */
export interface Hosts {
  all(): readonly HostView[];
  of(name: string): HostView | undefined;
}

/** Facts of one host that stand in ConfigMaps. */
export interface HostMaps {
  ports?: ConfigMap;
  versions?: ConfigMap;
  volumes?: ConfigMap;
}

export function hostView(node: Node, maps: HostMaps): HostView {
  const versions = versionsTold(maps.versions);
  return {
    name: node.metadata.name,
    isOpen: isOpen(node),
    conditions: node.status?.conditions ?? [],
    isPortUsed: port => maps.ports?.data?.[port] !== undefined,
    ...(maps.volumes && { volumes: hostVolumes(maps.volumes) }),
    ...(versions !== undefined && { versions: versions.split(',').filter(name => name !== '') }),
  };
}

/** A host on a site without daemons, whatever former ones have left behind. */
export const untoldHost = (node: Node): HostView => hostView({ ...node, status: undefined }, {});

function isOpen({ metadata, spec }: Node): boolean {
  const isTainted = spec?.taints?.some(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute') ?? false;
  return !isTainted && spec?.unschedulable !== true && metadata.labels?.[MAINTENANCE_LABEL] === undefined;
}

export const hostCondition = (host: HostView | undefined, type: string): HostCondition | undefined =>
  host?.conditions.find(condition => condition.type === type);

/** What an instance has told its clients, and of which host: there it stays while the daemon is silent. */
interface ToldClients {
  nodeName?: string;
  hostClientIP?: string;
}

/**
 * Address that clients reach the host by, as its daemon found it (the original's rule); undefined where none is known. What
 * a silent daemon said last is used for nothing new.
 */
export function clientAddress(host: HostView | undefined, now: Date, before?: ToldClients): string | undefined {
  if (host && silentSince(host.conditions, now) !== undefined) {
    return before?.nodeName === host.name ? before.hostClientIP : undefined;
  }
  const { status, message = '' } = hostCondition(host, HOST_CONDITION.clientIp) ?? {};
  const isAddress = isIP(message) !== 0 && message !== '0.0.0.0';
  return status === 'True' && isAddress ? message : undefined;
}

/** What somebody here asks for. How the daemon's loops are is for people. */
const READ: readonly string[] = [
  HOST_CONDITION.clientIp,
  HOST_CONDITION.clientNetworkUnavailable,
  HOST_CONDITION.refreshed,
];

/** What we look at of a node; its images and addresses would be most of the memory. */
export function trimNode({ apiVersion, kind, metadata, spec, status }: Node): Node {
  const { name, uid, labels, resourceVersion } = metadata;
  const conditions = status?.conditions?.filter(({ type }) => READ.includes(type));
  return {
    apiVersion,
    kind,
    metadata: { name, uid, labels, resourceVersion },
    spec: { taints: spec?.taints, unschedulable: spec?.unschedulable },
    ...(conditions && { status: { conditions } }),
  };
}

/** What a node says that can matter to a cluster. Heartbeats are no news: an idle cluster is not looked at for them. */
export function nodeSign(node: Node | undefined): string {
  const { spec, status, metadata } = node ?? {};
  const told = (status?.conditions ?? []).map(({ type, status: is, reason, message }) => [type, is, reason, message]);
  return JSON.stringify([spec?.taints ?? [], spec?.unschedulable, metadata?.labels?.[MAINTENANCE_LABEL], told]);
}

/** Of used ports only the keys matter: the values, one and the same text each, would be most of the memory. */
export function trimHostFacts(map: ConfigMap): ConfigMap {
  const { name, namespace, uid, resourceVersion, labels } = map.metadata;
  const kept = Object.entries(map.data ?? {}).map(([key, value]) => [key, /^\d+$/.test(key) ? '' : value] as const);
  return { ...map, metadata: { name, namespace, uid, resourceVersion, labels }, data: Object.fromEntries(kept) };
}

/** Versions that a map says are there; undefined for a map of something else. */
export const versionsTold = (map: ConfigMap | undefined): string | undefined => map?.data?.existingVersions;
