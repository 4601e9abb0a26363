import type { MPDClusterSpecInput } from '../../../crds/mpdcluster.ts';
import type { KubeClient } from '../../kube/client.ts';
import { RESOURCES, type Node, type PersistentVolumeClaim, type Pod } from '../../kube/resources.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { silentLogger } from '../../kube/testing/support.ts';
import type { KubeObject } from '../../kube/types.ts';
import { LABEL } from '../../model/labels.ts';
import { API_GROUP, API_VERSION } from '../../model/names.ts';
import type { CrashGate } from '../../workflow/testing/crash-points.ts';
import { MPD_CLUSTERS, type RawCluster } from '../../kinds/mpd.ts';
import type { Outcome } from './expectations.ts';
import { siteOf } from './fixtures.ts';
import { nodeOf, portMap, versionMap, volumesMap, type ToldHost } from './hosts.ts';
import { SnapshotSources } from './memory-sources.ts';
import { beginLife } from './operator-life.ts';
import { ignoreRace, type HostOptions, type SimulatedHosts } from './simulated-hosts.ts';
import { simpleSurroundings, type Manager, type Surroundings } from './simulated-manager.ts';

const SYSTEM = 'polardb-system';
const REF = { namespace: 'shop', name: 'orders' };
const KEY = 'shop/orders';
/** The world moves on by one bit this often, virtual ms. */
export const STEP_MS = 100;
/** Nothing takes longer in these worlds, virtual ms. */
const LONGEST_MS = 600_000;
/** A look this far away is care, not work: the operator is at rest, ms. */
const REST_MS = 3_600_000;

/** A gate that is always open, and the calls that pass it. */
export function countingGate(): { gate: CrashGate; calls: string[] } {
  const calls: string[] = [];
  const before = (call: string): Promise<void> => {
    calls.push(call);
    return Promise.resolve();
  };
  return { calls, gate: { ...ALWAYS_OPEN, before } };
}

export const ALWAYS_OPEN: CrashGate = { before: () => Promise.resolve(), signal: new AbortController().signal };

/** What the hosts of a world are made with; it moves on by {@link STEP_MS} with each step of its manager. */
export type SurroundOptions = Omit<HostOptions<never>, 'newMember'> & {
  api: MemoryApi;
  ref: { namespace: string; name: string };
};
type Surround = (options: SurroundOptions) => Surroundings;

/**
 * Test only: one cluster in a world of its own, in virtual time. The operator is woken as in production: by a change of
 * something that it watches, or when the time has come that it asked for. Nothing else wakes it.
 */
export class MemoryWorld {
  readonly api: MemoryApi;
  /** Past the gates: a person, a test. */
  readonly client: KubeClient;
  readonly hosts: SimulatedHosts;
  readonly manager: Manager;
  readonly ref = REF;
  /** How many looks the operator's watches lag behind: 0 or more. */
  lag = 0;
  /** Kinds (plural) whose watch shows nothing new. */
  readonly stalled = new Set<string>();
  /** Nodes without room for a pod. */
  readonly fullNodes = new Set<string>();
  readonly #quietMs: number;
  readonly #sources: SnapshotSources;
  #shown: ReturnType<MemoryApi['snapshot']> = new Map();
  readonly #views: { version: number; objects: ReturnType<MemoryApi['snapshot']> }[] = [];
  #time = Date.parse('2026-01-01T00:00:00Z');
  #plans: { at: number; act: () => Promise<void> }[] = [];

  constructor(surround: Surround = simpleSurroundings) {
    this.api = new MemoryApi(this.now);
    this.client = this.api.client();
    const pods = (): Promise<Pod[]> => this.client.list(RESOURCES.pods, { namespace: REF.namespace });
    const nodeFor = (pod: Pod): string | undefined => scheduledTo(pod, this.#nodes(), this.fullNodes);
    const { client, now, api } = this;
    const { hosts, manager, quietMs } = surround({ api, client, pods, now, nodeFor, ref: REF });
    this.hosts = hosts;
    this.manager = manager;
    this.#quietMs = quietMs;
    this.#sources = new SnapshotSources(this.api.snapshot(), siteOf());
  }

  now = (): Date => new Date(this.#time);

  /** With the cluster asked for, and nothing done yet. */
  static async asking(spec: MPDClusterSpecInput, surround?: Surround): Promise<MemoryWorld> {
    const world = new MemoryWorld(surround);
    const metadata = { namespace: SYSTEM, name: 'polardb4mpd-controller' };
    await world.client.create(RESOURCES.configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    if (spec.shareStore) await world.client.create(RESOURCES.persistentVolumeClaims, sharedClaim());
    const apiVersion = `${API_GROUP}/${API_VERSION}`;
    await world.client.create(MPD_CLUSTERS, { apiVersion, kind: 'MPDCluster', metadata: { ...REF }, spec });
    return world;
  }

  cluster(): RawCluster | undefined {
    return this.api.find(MPD_CLUSTERS, REF) as RawCluster | undefined;
  }

  /** How it looks now. */
  get outcome(): Outcome {
    const isOf = ({ metadata }: KubeObject): boolean =>
      metadata.labels?.[LABEL.cluster] === REF.name ||
      (metadata.ownerReferences?.length ?? 0) > 0 ||
      metadata.name.startsWith('polardb-port-');
    const objects = [...this.api.snapshot().values()].filter(isOf);
    return { name: REF.name, cluster: this.cluster(), objects, hosts: this.hosts };
  }

  /** A person's change of the spec. */
  async edit(spec: Partial<MPDClusterSpecInput>): Promise<void> {
    await this.client.patchMerge(MPD_CLUSTERS, REF, { spec });
  }

  /** The operator's whole life, from its start until it has nothing to do any more. */
  async live(gate: CrashGate = ALWAYS_OPEN): Promise<void> {
    await this.begin(gate).settle();
  }

  /** A new process of the operator, for those who look at it step by step. */
  begin(gate: CrashGate = ALWAYS_OPEN): { look: () => Promise<number>; settle: () => Promise<void> } {
    const { client, hosts, now } = this;
    const life = { client, agents: hosts, sources: this.#sources, now, log: silentLogger, systemNamespace: SYSTEM };
    const reconciler = beginLife(life, gate);
    const failures = { inARow: 0 };
    // It lists everything first.
    this.#views.length = 0;
    const once = (): Promise<number> => lookOnce(() => reconciler.reconcile(KEY, gate.signal), failures);
    const look = (): Promise<number> => {
      this.#watch();
      return once();
    };
    const settle = async (): Promise<void> => {
      const end = this.#time + LONGEST_MS;
      while (!(await this.#isAtRest(this.#watch(), await once()))) {
        if (this.#time > end) throw new Error(`no rest: ${JSON.stringify(this.cluster()?.status?.conditions)}`);
      }
    };
    return { look, settle };
  }

  /** Something that happens by itself, so many virtual ms from now. */
  later(ms: number, act: () => Promise<void>): void {
    this.#plans.push({ at: this.#time + ms, act });
  }

  /** What a daemon and the node of a host say from now on. */
  async tell(host: string, told: ToldHost): Promise<void> {
    const { ports, versions, volumes } = told;
    await this.client.apply(RESOURCES.nodes, nodeOf(host, told));
    await this.client.patchStatus(RESOURCES.nodes, { name: host }, nodeOf(host, told).status!);
    if (ports) await this.client.apply(RESOURCES.configMaps, portMap(host, ports, SYSTEM));
    if (versions) await this.client.apply(RESOURCES.configMaps, versionMap(host, versions, SYSTEM));
    if (volumes) await this.client.apply(RESOURCES.configMaps, volumesMap(host, volumes, SYSTEM));
  }

  #nodes(): Node[] {
    const nodes = [...this.api.snapshot()].filter(([id]) => id.startsWith(`${RESOURCES.nodes.plural}/`));
    return nodes.map(([, node]) => node as Node);
  }

  /** Everything but the operator moves on by one bit. */
  async move(): Promise<void> {
    const due = this.#plans.filter(({ at }) => at <= this.#time);
    this.#plans = this.#plans.filter(plan => !due.includes(plan));
    for (const { act } of due) await act();
    await this.hosts.step();
    await this.manager.step().catch(ignoreRace);
    this.#time += STEP_MS;
  }

  /** The watches show what they show; returns the version that they are at. */
  #watch(): number {
    this.#views.push({ version: this.api.version, objects: this.api.snapshot() });
    const { version, objects } = this.#views.at(-1 - this.lag) ?? this.#views[0]!;
    const isStalled = (id: string): boolean => this.stalled.has(id.split('/')[0]!);
    const kept = [...this.#shown].filter(([id]) => isStalled(id));
    this.#shown = new Map([...[...objects].filter(([id]) => !isStalled(id)), ...kept]);
    this.#sources.show(this.#shown);
    return version;
  }

  /** Lets the world move on until something wakes the operator. @returns true when nothing ever will */
  async #isAtRest(seen: number, requeueMs: number): Promise<boolean> {
    for (let waited = 0; waited < requeueMs; waited += STEP_MS) {
      if (this.api.version !== seen) {
        // One bit at least, so that a look and its consequences do not share a moment.
        await this.move();
        return false;
      }
      // Whatever the world has to do by itself is done long before.
      if (waited > this.#quietMs && requeueMs >= REST_MS) return true;
      await this.move();
    }
    return false;
  }
}

/** One look, repeated by the queue when it failed. @returns when to look again, ms */
async function lookOnce(
  reconcile: () => Promise<{ requeueAfterMs: number } | undefined>,
  failures: { inARow: number },
): Promise<number> {
  try {
    const outcome = await reconcile();
    failures.inARow = 0;
    return outcome?.requeueAfterMs ?? REST_MS;
  } catch (error) {
    if (++failures.inARow > 20) throw error;
    return Math.min(1_000 * failures.inARow, 5_000);
  }
}

/** A scheduler: by the pod's number, as far as affinity, cordons and room allow; any name where there are no nodes. */
function scheduledTo({ metadata, spec }: Pod, nodes: readonly Node[], full: ReadonlySet<string>): string | undefined {
  const number = Number(metadata.name.split('-').at(-1));
  if (nodes.length === 0) return `node-${number % 3}`;
  const [term] = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const excluded = (term?.matchFields ?? []).flatMap(({ values }) => values ?? []);
  const takes = (node: Node): boolean =>
    !excluded.includes(node.metadata.name) && node.spec?.unschedulable !== true && !full.has(node.metadata.name);
  const fit = nodes.filter(takes);
  return fit[number % Math.max(1, fit.length)]?.metadata.name;
}

function sharedClaim(): PersistentVolumeClaim {
  const metadata = { namespace: REF.namespace, name: 'shared' };
  const spec = { volumeMode: 'Filesystem', volumeName: 'pv-shared' } as const;
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec };
}
