import type { ConfigMap, EndpointSlice, Node, Pod } from '../kube/resources.ts';
import { refOf } from '../kube/types.ts';
import { recordName, runningParams, rwService, switchLog } from '../model/names.ts';
import type { RawCluster, RawOperation } from '../kinds/mpd.ts';
import { targetOf, type GroupTarget, type TargetParts } from './target.ts';
import { BY_CLUSTER, type Caches } from './watches.ts';

/** What the watches know of one group. */
export interface GroupParts {
  target: GroupTarget | undefined;
  object: RawCluster | undefined;
  pods: readonly Pod[];
  /** Of `<cluster>-rw`. */
  slice: EndpointSlice | undefined;
  switchLog: ConfigMap | undefined;
  operations: readonly RawOperation[];
  /** resourceVersion of the record; undefined when there is none. */
  recordVersion: string | undefined;
}

export interface Sources {
  group(key: string): GroupParts;
  node(name: string): Node | undefined;
}

/** @param operatorName which `spec.operatorName` is ours */
export function cachedSources(caches: Caches, operatorName: string): Sources {
  const targets = new Targets();
  return {
    node: name => caches.nodes.get({ name }),
    group: key => {
      const ref = refOf(key);
      const { name } = ref;
      const at = <T extends { metadata: { name: string } }>(all: readonly T[], wanted: string): T | undefined =>
        all.find(it => it.metadata.name === wanted);
      const object = caches.clusters.get(ref);
      const maps = caches.configMaps.byIndex(BY_CLUSTER, key);
      const lease = at(caches.leases.byIndex(BY_CLUSTER, key), recordName(name));
      const params = at(maps, runningParams(name));
      return {
        object,
        target: object && targets.of(object, { operatorName, hasRecord: lease !== undefined, params }),
        pods: caches.pods.byIndex(BY_CLUSTER, key),
        slice: at(caches.slices.byIndex(BY_CLUSTER, key), rwService(name)),
        switchLog: at(maps, switchLog(name)),
        operations: caches.operations.byIndex(BY_CLUSTER, key),
        recordVersion: lease?.metadata.resourceVersion,
      };
    },
  };
}

/** A group is looked at with each report of its members; what it is changes only with the objects that say so. */
class Targets {
  readonly #known = new WeakMap<RawCluster, { parts: TargetParts; target: GroupTarget | undefined }>();

  of(object: RawCluster, parts: TargetParts): GroupTarget | undefined {
    const known = this.#known.get(object);
    if (known && known.parts.params === parts.params && known.parts.hasRecord === parts.hasRecord) return known.target;
    const target = targetOf(object, parts);
    this.#known.set(object, { parts, target });
    return target;
  }
}
