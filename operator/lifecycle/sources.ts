import type { Cache } from '../kube/informer.ts';
import { RESOURCES, type ConfigMap, type Node, type Pod, type ResourceType } from '../kube/resources.ts';
import type { IndexFunction } from '../kube/store.ts';
import { refOf, type KubeObject } from '../kube/types.ts';
import { LABEL, MANAGED_BY } from '../model/labels.ts';
import { readSiteSettings } from '../settings/site.ts';
import type { SiteSettings } from '../settings/types.ts';
import type { Children } from './context.ts';
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
}

/** What the watches know, in the words of the reconciler. */
export class CachedSources implements Sources {
  readonly #caches: Caches;
  #site: SiteSettings | undefined;

  constructor(caches: Caches) {
    this.#caches = caches;
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

/** What we look at of a node; its images and addresses would be most of the memory, its heartbeat most of the events. */
export function trimNode({ apiVersion, kind, metadata, spec }: Node): Node {
  const { name, uid, labels, resourceVersion } = metadata;
  return { apiVersion, kind, metadata: { name, uid, labels, resourceVersion }, spec: { taints: spec?.taints } };
}

/** What we look at of a pod. */
export function trimPod(pod: Pod): Pod {
  const { apiVersion, kind, metadata, spec, status } = pod;
  const kept = { ...metadata, annotations: undefined, managedFields: undefined };
  const trimmed = spec && { nodeName: spec.nodeName, containers: [] };
  return { apiVersion, kind, metadata: kept, ...(trimmed && { spec: trimmed }), ...(status && { status }) };
}
