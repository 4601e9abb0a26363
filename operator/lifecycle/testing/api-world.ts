import { setTimeout as sleep } from 'node:timers/promises';
import type { MPDClusterSpecInput } from '../../../crds/mpdcluster.ts';
import type { KubeClient } from '../../kube/client.ts';
import { Informer } from '../../kube/informer.ts';
import { RESOURCES, type Pod } from '../../kube/resources.ts';
import { silentLogger } from '../../kube/testing/support.ts';
import { keyOf, type KubeObject } from '../../kube/types.ts';
import { LABEL } from '../../model/labels.ts';
import { API_GROUP, API_VERSION } from '../../model/names.ts';
import type { CrashGate } from '../../workflow/testing/crash-points.ts';
import type { Children } from '../context.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS, type RawCluster } from '../../kinds/mpd.ts';
import type { Sources } from '../reconciler.ts';
import {
  BY_CLUSTER,
  BY_NAME,
  byCluster,
  byName,
  CachedSources,
  CHILD_SELECTOR,
  CHILD_TYPES,
  clusterKeyOf,
  HOST_FACTS_SELECTOR,
  trimPod,
} from '../sources.ts';
import type { Outcome } from './expectations.ts';
import { siteOf } from './fixtures.ts';
import { beginLife } from './operator-life.ts';
import { ignoreRace, type SimulatedHosts } from './simulated-hosts.ts';
import { simpleSurroundings, type Manager } from './simulated-manager.ts';

/** Waits of the operator are this much shorter here. */
const HURRY = 8;
/** A look this far away is care, not work: the operator is at rest, ms. */
const REST_MS = 3_600_000;
/** Nothing came for this long: it is looked once more, so that a slow machine only costs looks, ms. */
const QUIET_MS = 100;

/**
 * Test only: watches of one namespace of a real API server, shared by many worlds, as one operator's watches are by its
 * clusters. They lag as real ones do.
 */
export class ApiWatches {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly sources: Sources;
  readonly #informers: Informer<KubeObject>[];
  /** Changes seen, by cluster. */
  readonly #changes = new Map<string, number>();
  readonly #enginePods: Informer<Pod>;

  constructor(client: KubeClient, namespace: string) {
    this.client = client;
    this.namespace = namespace;
    const base = { source: client, log: silentLogger };
    const children = Object.entries(CHILD_TYPES).map(([kind, type]) => {
      const selection = { namespace, labelSelector: CHILD_SELECTOR };
      const trim = type === RESOURCES.pods ? { trim: trimPod as (object: KubeObject) => KubeObject } : {};
      const informer = new Informer<KubeObject>({
        ...base,
        ...trim,
        type: type,
        selection,
        indexes: { [BY_CLUSTER]: byCluster },
      });
      informer.onChange(({ object }) => this.#note(clusterKeyOf(object) ?? ''));
      return [kind, informer] as const;
    });
    const clusters = new Informer({ ...base, type: MPD_CLUSTERS, selection: { namespace } });
    clusters.onChange(({ object }) => this.#note(keyOf(object.metadata)));
    const target = { [BY_CLUSTER]: byTarget };
    const operations = new Informer({ ...base, type: MPD_OPERATIONS, selection: { namespace }, indexes: target });
    operations.onChange(({ object }) => this.#note(byTarget(object)[0]!));
    const nodes = new Informer({ ...base, type: RESOURCES.nodes });
    this.#enginePods = new Informer({ ...base, type: RESOURCES.pods, selection: { namespace } });
    const facts = { type: RESOURCES.configMaps, selection: { namespace, labelSelector: HOST_FACTS_SELECTOR } };
    const hostFacts = new Informer({ ...base, ...facts, indexes: { [BY_NAME]: byName } });
    const daemonSets = new Informer({ ...base, type: RESOURCES.daemonSets, selection: { namespace } });
    const caches = { clusters, operations, nodes, settings: [], hostFacts, daemonSets };
    const found = Object.fromEntries(children) as unknown as Record<keyof Children, never>;
    const cached = new CachedSources({ ...caches, ...found }, () => new Date());
    this.sources = {
      cluster: key => cached.cluster(key),
      children: (of, name) => cached.children(of, name),
      operations: (of, name) => cached.operations(of, name),
      site: siteOf,
      hosts: () => cached.hosts(),
    };
    const others = [clusters, operations, nodes, hostFacts, daemonSets, this.#enginePods];
    const all = [...children.map(([, informer]) => informer), ...others];
    this.#informers = all as unknown as Informer<KubeObject>[];
  }

  async start(): Promise<void> {
    for (const informer of this.#informers) informer.start();
    await Promise.all(this.#informers.map(informer => informer.whenSynced()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#informers.map(informer => informer.stop()));
  }

  changesOf(key: string): number {
    return this.#changes.get(key) ?? 0;
  }

  podsOf(name: string): Pod[] {
    return this.#enginePods.list().filter(({ metadata }) => metadata.labels?.[LABEL.cluster] === name);
  }

  #note(key: string): void {
    this.#changes.set(key, this.changesOf(key) + 1);
  }
}

const byTarget = (object: KubeObject): string[] => {
  const { target } = (object as KubeObject & { spec: { target: { name: string } } }).spec;
  return [`${object.metadata.namespace ?? ''}/${target.name}`];
};

/** Test only: one cluster on a real API server with simulated hosts, which go on whether an operator lives or not. */
export class ApiWorld {
  readonly ref: { namespace: string; name: string };
  readonly hosts: SimulatedHosts;
  readonly #watches: ApiWatches;
  readonly #key: string;
  readonly #end = new AbortController();
  readonly #hostsRun: Promise<void>;
  readonly #manager: Manager;

  private constructor(watches: ApiWatches, name: string) {
    const { client, namespace } = watches;
    this.#watches = watches;
    this.ref = { namespace, name };
    this.#key = `${namespace}/${name}`;
    const pods = (): Promise<Pod[]> => Promise.resolve(watches.podsOf(name));
    // Nodes that the control plane does not know: its own clean-up looks at them only after 40 s.
    const nodeFor = (): string => `node-of-${name}`;
    const { hosts, manager } = simpleSurroundings({ client, pods, now: () => new Date(), nodeFor, ref: this.ref });
    this.hosts = hosts;
    this.#manager = manager;
    this.#hostsRun = this.#runHosts();
  }

  static async asking(watches: ApiWatches, name: string, spec: MPDClusterSpecInput): Promise<ApiWorld> {
    const world = new ApiWorld(watches, name);
    const apiVersion = `${API_GROUP}/${API_VERSION}`;
    await watches.client.create(MPD_CLUSTERS, { apiVersion, kind: 'MPDCluster', metadata: { ...world.ref }, spec });
    return world;
  }

  async edit(spec: Partial<MPDClusterSpecInput>): Promise<void> {
    await this.#watches.client.patchMerge(MPD_CLUSTERS, this.ref, { spec });
  }

  async remove(): Promise<void> {
    await this.#watches.client.delete(MPD_CLUSTERS, this.ref);
  }

  /** The operator's whole life, from its start until it has come to the goal and has nothing to do any more. */
  async live(gate: CrashGate, isGoal: (cluster: RawCluster | undefined) => boolean): Promise<void> {
    const { client, sources, namespace } = this.#watches;
    const now = (): Date => new Date();
    const life = { client, agents: this.hosts, sources, now, log: silentLogger, systemNamespace: namespace };
    const reconciler = beginLife(life, gate);
    for (let failures = 0; !gate.signal.aborted;) {
      const seen = this.#watches.changesOf(this.#key);
      let requeueMs = 500;
      try {
        requeueMs = (await reconciler.reconcile(this.#key, gate.signal))?.requeueAfterMs ?? REST_MS;
        failures = 0;
      } catch (error) {
        // What the queue does with a failed look.
        if (++failures > 20) throw error;
      }
      const isQuiet = await this.#isQuiet(seen, requeueMs);
      if (isQuiet && requeueMs >= REST_MS && isGoal(sources.cluster(this.#key))) return;
    }
  }

  /** Read directly. */
  async outcome(): Promise<Outcome> {
    const { client } = this.#watches;
    const { namespace, name } = this.ref;
    const cluster: RawCluster | undefined = await client.get(MPD_CLUSTERS, this.ref);
    const labelSelector = `${LABEL.cluster}=${name}`;
    const types = Object.values(CHILD_TYPES) as (typeof RESOURCES.services)[];
    const lists = await Promise.all(types.map(type => client.list(type, { namespace, labelSelector })));
    const operations = await client.list(MPD_OPERATIONS, { namespace, labelSelector });
    const ports = await client.list(RESOURCES.configMaps, { namespace, labelSelector: `${LABEL.component}=port` });
    const mine = ports.filter(({ data }) => data?.cluster === this.#key);
    return { name, cluster, objects: [...(lists.flat() as KubeObject[]), ...operations, ...mine], hosts: this.hosts };
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#hostsRun;
  }

  /** Waits as long as the operator asked for, or until a watch wakes it; then false. */
  async #isQuiet(seen: number, requeueMs: number): Promise<boolean> {
    const end = performance.now() + Math.min(QUIET_MS, requeueMs / HURRY);
    while (performance.now() < end) {
      if (this.#watches.changesOf(this.#key) !== seen) return false;
      await sleep(5);
    }
    return true;
  }

  async #runHosts(): Promise<void> {
    while (!this.#end.signal.aborted) {
      await this.hosts.step();
      await this.#manager.step().catch(ignoreRace);
      await sleep(10);
    }
  }
}
