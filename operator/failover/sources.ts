import { RecordError, parseRecord, type LeaseObject } from '../ha/lease.ts';
import type { GroupRecord } from '../ha/record.ts';
import type { ConfigMap, EndpointSlice, Lease, Node, Pod } from '../kube/resources.ts';
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
  /** What it says; undefined also where it is not to be read. */
  record: GroupRecord | undefined;
}

export interface Sources {
  group(key: string): GroupParts;
  node(name: string): Node | undefined;
}

/** @param operatorName which `spec.operatorName` is ours */
export function cachedSources(caches: Caches, operatorName: string): Sources {
  const targets = new Targets();
  const records = new Records();
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
        record: lease && records.of(lease),
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

/** Read once each. */
class Records {
  readonly #known = new WeakMap<Lease, { record: GroupRecord | undefined }>();

  of(lease: Lease): GroupRecord | undefined {
    const known = this.#known.get(lease) ?? { record: shownRecord(lease) };
    this.#known.set(lease, known);
    return known.record;
  }
}

/** What a watched record says. Who decides from it reads it directly, and tells people what is wrong with it. */
export function shownRecord(lease: Lease): GroupRecord | undefined {
  try {
    return parseRecord(lease as LeaseObject);
  } catch (error) {
    if (error instanceof RecordError) return undefined;
    throw error;
  }
}
