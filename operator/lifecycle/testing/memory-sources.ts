import { RESOURCES, type ConfigMap, type Node } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import { refOf } from '../../kube/types.ts';
import type { SiteSettings } from '../../settings/types.ts';
import { hostVolumesName, portUsageName, versionAvailabilityName } from '../../model/host.ts';
import type { Children } from '../context.ts';
import { hostView, type Hosts, type HostView } from '../gather/hosts.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS, type RawCluster, type RawOperation } from '../../kinds/mpd.ts';
import type { Sources } from '../reconciler.ts';
import { CHILD_TYPES, clusterKeyOf } from '../sources.ts';

type Snapshot = ReadonlyMap<string, KubeObject>;

/** Test only: what watches would show of one moment of a {@link MemoryApi}. */
export class SnapshotSources implements Sources {
  #seen: Snapshot;
  readonly #site: SiteSettings;

  constructor(seen: Snapshot, site: SiteSettings) {
    this.#seen = seen;
    this.#site = site;
  }

  show(seen: Snapshot): void {
    this.#seen = seen;
  }

  cluster(key: string): RawCluster | undefined {
    const { namespace, name } = refOf(key);
    return this.#of(MPD_CLUSTERS.plural).find(
      ({ metadata }) => metadata.namespace === namespace && metadata.name === name,
    ) as RawCluster | undefined;
  }

  children(namespace: string, name: string): Children {
    const found = Object.entries(CHILD_TYPES).map(([kind, { plural }]) => [
      kind,
      this.#of(plural).filter(object => clusterKeyOf(object) === `${namespace}/${name}`),
    ]);
    return Object.fromEntries(found) as Children;
  }

  operations(namespace: string, name: string): RawOperation[] {
    const all = this.#of(MPD_OPERATIONS.plural) as RawOperation[];
    return all.filter(({ metadata, spec }) => metadata.namespace === namespace && spec.target.name === name);
  }

  site(): SiteSettings {
    return this.#site;
  }

  hosts(): Hosts {
    const maps = this.#of(RESOURCES.configMaps.plural) as ConfigMap[];
    const named = (name: string): ConfigMap | undefined => maps.find(({ metadata }) => metadata.name === name);
    const view = (node: Node): HostView => {
      const { name } = node.metadata;
      return hostView(node, {
        ports: named(portUsageName(name)),
        versions: named(versionAvailabilityName(name)),
        volumes: named(hostVolumesName(name)),
      });
    };
    const all = (this.#of(RESOURCES.nodes.plural) as Node[]).map(view);
    return { all: () => all, of: name => all.find(host => host.name === name) };
  }

  #of(plural: string): KubeObject[] {
    return [...this.#seen].filter(([id]) => id.startsWith(`${plural}/`)).map(([, object]) => object);
  }
}
