import type { Cache } from '../kube/informer.ts';
import {
  RESOURCES,
  type ConfigMap,
  type DaemonSet,
  type Node,
  type Pod,
  type ResourceType,
} from '../kube/resources.ts';
import type { IndexFunction } from '../kube/store.ts';
import { refOf, type KubeObject } from '../kube/types.ts';
import { hasSpoken, HOST_FACTS_LABEL, hostVolumesName, portUsageName, versionAvailabilityName } from '../model/host.ts';
import { LABEL, MANAGED_BY } from '../model/labels.ts';
import { readSiteSettings } from '../settings/site.ts';
import type { SiteSettings } from '../settings/types.ts';
import { EXCLUDED_HOSTS } from './builders/affinity.ts';
import type { Children } from './context.ts';
import { hostView, untoldHost, type HostMaps, type Hosts, type HostView } from './gather/hosts.ts';
import type { RawCluster, RawOperation } from '../kinds/mpd.ts';
import type { Sources } from './reconciler.ts';

/** Index of all children: `namespace/cluster`. */
export const BY_CLUSTER = 'cluster';
export const byCluster: IndexFunction<KubeObject> = object => {
  const key = clusterKeyOf(object);
  return key === undefined ? [] : [key];
};

/** Cluster that an object belongs to by its label. */
export function clusterKeyOf({ metadata }: KubeObject): string | undefined {
  const cluster = metadata.labels?.[LABEL.cluster];
  return cluster === undefined ? undefined : `${metadata.namespace ?? ''}/${cluster}`;
}

/** Only what carries our label is watched: other people's objects cost nothing. */
export const CHILD_SELECTOR = `${LABEL.managedBy}=${MANAGED_BY},${LABEL.cluster}`;

/** The kinds of which a cluster has children, by their place in {@link Children}. */
export const CHILD_TYPES = {
  pods: RESOURCES.pods,
  services: RESOURCES.services,
  endpointSlices: RESOURCES.endpointSlices,
  secrets: RESOURCES.secrets,
  configMaps: RESOURCES.configMaps,
  claims: RESOURCES.persistentVolumeClaims,
  budgets: RESOURCES.podDisruptionBudgets,
  serviceAccounts: RESOURCES.serviceAccounts,
  roles: RESOURCES.roles,
  roleBindings: RESOURCES.roleBindings,
  leases: RESOURCES.leases,
} satisfies Record<keyof Children, ResourceType>;

type ChildCaches = { [K in keyof Children]: Cache<Children[K][number]> };

export interface Caches extends ChildCaches {
  clusters: Cache<RawCluster>;
  operations: Cache<RawOperation>;
  nodes: Cache<Node>;
  /** ConfigMaps of the settings namespace. */
  settings: readonly Cache<ConfigMap>[];
  /** What the daemons publish of their hosts, with index {@link BY_NAME}. */
  hostFacts: Cache<ConfigMap>;
  /** That of the daemons, while there is one. */
  daemonSets: Cache<DaemonSet>;
}

/** Index of facts of hosts. */
export const BY_NAME = 'name';
export const byName: IndexFunction<KubeObject> = ({ metadata }) => [metadata.name];
/** The facts that placement and ports rest on. */
export const HOST_FACTS_SELECTOR = `${HOST_FACTS_LABEL} in (ports, versions, volumes)`;

/** What the watches know, in the words of the reconciler. */
export class CachedSources implements Sources {
  readonly #caches: Caches;
  readonly #now: () => Date;
  #site: SiteSettings | undefined;

  constructor(caches: Caches, now: () => Date) {
    this.#caches = caches;
    this.#now = now;
  }

  cluster(key: string): RawCluster | undefined {
    return this.#caches.clusters.get(refOf(key));
  }

  children(namespace: string, name: string): Children {
    const key = `${namespace}/${name}`;
    const found = Object.keys(CHILD_TYPES).map(kind => [
      kind,
      this.#caches[kind as keyof Children].byIndex(BY_CLUSTER, key),
    ]);
    return Object.fromEntries(found) as Children;
  }

  operations(namespace: string, name: string): RawOperation[] {
    return this.#caches.operations.byIndex(BY_CLUSTER, `${namespace}/${name}`);
  }

  node(name: string): Node | undefined {
    return this.#caches.nodes.get({ name });
  }

  hosts(): Hosts {
    const { nodes, daemonSets } = this.#caches;
    const hasDaemons = areInstalled(daemonSets);
    const now = this.#now();
    // A DaemonSet that is replaced is gone for a moment, and its hosts are as they were.
    const isTold = ({ status }: Node): boolean => hasDaemons || hasSpoken(status?.conditions ?? [], now);
    const view = (node: Node): HostView =>
      isTold(node) ? hostView(node, this.#mapsOf(node.metadata.name)) : untoldHost(node);
    // One look asks at several places; in a large site each answer is some work.
    let all: readonly HostView[] | undefined;
    return {
      all: () => (all ??= nodes.list().map(view)),
      of: name => {
        const node = nodes.get({ name });
        return all?.find(host => host.name === name) ?? (node && view(node));
      },
    };
  }

  #mapsOf(host: string): HostMaps {
    const named = (name: string): ConfigMap | undefined => this.#caches.hostFacts.byIndex(BY_NAME, name)[0];
    return {
      ports: named(portUsageName(host)),
      versions: named(versionAvailabilityName(host)),
      volumes: named(hostVolumesName(host)),
    };
  }

  /** Settings as last read; a value that is wrong keeps what was in force before. */
  site(): SiteSettings {
    this.#site ??= readSiteSettings(this.#caches.settings.flatMap(cache => cache.list()));
    return this.#site;
  }

  /** To be called when a map has changed. */
  rereadSite(): SiteSettings {
    const maps = this.#caches.settings.flatMap(cache => cache.list());
    this.#site = readSiteSettings(maps, this.#site);
    return this.#site;
  }
}

/**
 * Are there to be daemons on the hosts? Where not, what former ones left behind, conditions and ConfigMaps, counts for
 * nothing once their last sign of life is old.
 */
export const areInstalled = (daemonSets: Cache<DaemonSet>): boolean =>
  daemonSets.list().some(({ metadata }) => metadata.deletionTimestamp === undefined);

/** What we look at of a pod. */
export function trimPod(pod: Pod): Pod {
  const { apiVersion, kind, metadata, spec, status } = pod;
  const excluded = metadata.annotations?.[EXCLUDED_HOSTS];
  const annotations = excluded === undefined ? undefined : { [EXCLUDED_HOSTS]: excluded };
  const kept = { ...metadata, annotations, managedFields: undefined };
  const trimmed = spec && { nodeName: spec.nodeName, containers: [] };
  return { apiVersion, kind, metadata: kept, ...(trimmed && { spec: trimmed }), ...(status && { status }) };
}
