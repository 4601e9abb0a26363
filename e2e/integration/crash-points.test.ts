import { expect } from 'chai';
import type { MPDClusterSpecInput } from '../../crds/mpdcluster.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { findCredentials } from '../../operator/kube/credentials.ts';
import { RESOURCES, type ResourceType } from '../../operator/kube/resources.ts';
import { MPD_CLUSTERS, type RawCluster } from '../../operator/kinds/mpd.ts';
import { ApiWatches, ApiWorld } from '../../operator/lifecycle/testing/api-world.ts';
import { expectGone, expectRunning, expectStopped } from '../../operator/lifecycle/testing/expectations.ts';
import { localSpec } from '../../operator/lifecycle/testing/fixtures.ts';
import { ALWAYS_OPEN, MemoryWorld } from '../../operator/lifecycle/testing/memory-world.ts';
import { atEveryCrashPoint, type CrashGate, type CrashPoint } from '../../operator/workflow/testing/crash-points.ts';
import { eventually } from '../support/eventually.ts';
import { controlPlane } from '../support/control-plane.ts';
import { installKinds } from '../support/kinds.ts';
import { managedSurroundings } from './managed/managed-surroundings.ts';

/** One follower is enough where the flow does the same for each. */
const smallSpec: MPDClusterSpecInput = { ...localSpec, followerNum: 1 };
const sharedSpec: MPDClusterSpecInput = {
  dbType: 'postgresql',
  dbClusterType: 'share',
  followerNum: 1,
  classInfo: { className: 'small' },
  shareStore: { sharePvcName: 'shared' },
  netCfg: { engineStartPort: 5500 },
};

interface Scenario {
  spec: MPDClusterSpecInput;
  /** What has happened before; the operator's first life begins after it. */
  before?: (world: MemoryWorld) => Promise<void>;
  /** What happens while no operator lives. */
  between?: (world: MemoryWorld) => Promise<void>;
  check: (world: MemoryWorld) => void;
}

const running = async (world: MemoryWorld): Promise<void> => world.live();
const remove = async (world: MemoryWorld): Promise<void> => {
  await world.client.delete(MPD_CLUSTERS, world.ref);
};
const then =
  (...acts: ((world: MemoryWorld) => Promise<void>)[]) =>
  async (world: MemoryWorld): Promise<void> => {
    for (const act of acts) await act(world);
  };
const edit =
  (spec: Partial<MPDClusterSpecInput>) =>
  (world: MemoryWorld): Promise<void> =>
    world.edit(spec);

async function deleteRwPod(world: MemoryWorld): Promise<void> {
  const rw = `-${world.cluster()?.status?.leaderInstanceId ?? ''}`;
  const pod = world.outcome.objects.find(({ kind, metadata }) => kind === 'Pod' && metadata.name.endsWith(rw));
  await world.client.delete(RESOURCES.pods, pod!.metadata);
}

/** Both hosts are bad; one of them comes round, has no room though; then the other comes round. */
async function hostsThatChange(world: MemoryWorld): Promise<void> {
  const heard = new Date('2030-01-01T00:00:00Z');
  const say = (host: string, isCutOff: boolean) => (): Promise<void> => world.tell(host, { heard, isCutOff });
  await say('node-0', true)();
  await say('node-1', true)();
  world.fullNodes.add('node-0');
  world.later(2_000, say('node-0', false));
  world.later(9_000, say('node-1', false));
}

const scenarios: Record<string, Scenario> = {
  'create, local': { spec: localSpec, check: world => expectRunning(world.outcome, 2) },
  'create, share on the host network': { spec: sharedSpec, check: world => expectRunning(world.outcome, 1) },
  'create, while the hosts that are avoided change': {
    spec: { ...smallSpec, netCfg: { engineStartPort: 5500 } },
    before: hostsThatChange,
    check: world => expectRunning(world.outcome, 1),
  },
  'delete, volumes retained': {
    spec: smallSpec,
    before: then(running, remove),
    check: world => expectGone(world.outcome, true),
  },
  'delete, volumes too, on the host network': {
    spec: { ...smallSpec, terminationPolicy: 'Delete', netCfg: { engineStartPort: 5500 } },
    before: then(running, remove),
    check: world => expectGone(world.outcome, false),
  },
  'a creation that is given up half way': {
    spec: { ...smallSpec, terminationPolicy: 'Delete' },
    between: remove,
    check: world => (world.cluster() ? expectRunning(world.outcome, 1) : expectGone(world.outcome, false)),
  },
  'add a follower': {
    spec: smallSpec,
    before: then(running, edit({ followerNum: 2 })),
    check: world => expectRunning(world.outcome, 2),
  },
  'the pod of the RW is deleted by hand': {
    spec: smallSpec,
    before: then(running, deleteRwPod),
    check: world => expectRunning(world.outcome, 1),
  },
  stop: {
    spec: smallSpec,
    before: then(running, edit({ stopped: true })),
    check: world => expectStopped(world.outcome),
  },
  start: {
    spec: smallSpec,
    before: then(running, edit({ stopped: true }), running, edit({ stopped: false })),
    check: world => expectRunning(world.outcome, 1),
  },
};

interface Setting {
  /** How many looks the operator's watches lag behind. */
  lag: number;
  surround?: typeof managedSurroundings;
}

/** Every point with watches up to date; the flows that take ids also with watches that lag behind our own writes. */
const all = Object.keys(scenarios);
const lagging = [
  'create, share on the host network',
  'create, while the hosts that are avoided change',
  'a creation that is given up half way',
  'add a follower',
];

for (const [what, names, setting] of [
  ['watches up to date', all, { lag: 0 }],
  ['watches two looks behind', lagging, { lag: 2 }],
  ['beside the cluster manager itself', all, { lag: 0, surround: managedSurroundings }],
] as [string, string[], Setting][]) {
  describe(`the operator killed before every call, API in memory, ${what}`, function () {
    this.timeout(60_000);
    for (const name of names) it(name, () => killEverywhere(scenarios[name]!, setting));
  });
}

async function killEverywhere({ spec, before, between, check }: Scenario, setting: Setting): Promise<void> {
  const lives = new WeakMap<MemoryWorld, number>();
  const { points } = await atEveryCrashPoint<MemoryWorld>({
    world: async () => {
      const world = await MemoryWorld.asking(spec, setting.surround);
      await before?.(world);
      world.lag = setting.lag;
      return world;
    },
    live: async (world, gate) => {
      const life = (lives.get(world) ?? 0) + 1;
      lives.set(world, life);
      if (life === 2) await between?.(world);
      await world.live(gate);
    },
    check,
  });
  // Fewer would mean that the operator found nothing to do.
  expect(points.length).to.be.greaterThan(10);
}

describe('a cluster deleted by its user before every call of its creation, under an operator that lives on', function () {
  this.timeout(60_000);
  for (const [what, lag] of [
    ['watches up to date', 0],
    ['watches two looks behind', 2],
  ] as const) {
    it(`${what}: nothing is left`, async () => {
      let point = 0;
      for (let calls = Infinity; point <= calls;) {
        point++;
        const world = await MemoryWorld.asking({ ...smallSpec, terminationPolicy: 'Delete' });
        world.lag = lag;
        calls = 0;
        const before = async (): Promise<void> => {
          if (++calls === point) await remove(world);
        };
        await world.live({ ...ALWAYS_OPEN, before });
        if (point <= calls) expectGone(world.outcome, false);
      }
      // Seventeen objects are made, and told of in a status and an operation.
      expect(point).to.be.greaterThan(30);
    });
  }
});

const namespace = `crash-points-${process.pid}`;
/** Worlds beside each other on the real server, and every how many-th call is a point; EVERY=1 for all (15 minutes). */
const ABREAST = Number(process.env.ABREAST ?? 6);
const EVERY = Number(process.env.EVERY ?? 5);

interface RealScenario {
  spec: MPDClusterSpecInput;
  before?: (world: ApiWorld) => Promise<void>;
  isGoal: (cluster: RawCluster | undefined) => boolean;
  check: (world: ApiWorld) => Promise<void>;
}

const isRunning = (cluster: RawCluster | undefined): boolean => {
  const { clusterStatus, operation, observedGeneration, conditions } = cluster?.status ?? {};
  const isReady = conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  const isSeen = observedGeneration === cluster?.metadata.generation;
  return clusterStatus === 'Running' && isReady && isSeen && !operation;
};
const isGone = (cluster: RawCluster | undefined): boolean => cluster === undefined;

const realScenarios: Record<string, RealScenario> = {
  create: {
    spec: smallSpec,
    isGoal: isRunning,
    // The operator is at rest; the cluster manager may still be telling what it did.
    check: world => holdsSoon('it runs', async () => expectRunning(await world.outcome(), 1)),
  },
  delete: {
    spec: { ...smallSpec, terminationPolicy: 'Delete' },
    before: async world => {
      await world.live(ALWAYS_OPEN, isRunning);
      await world.remove();
    },
    isGoal: isGone,
    check: world => holdsSoon('it is gone', async () => expectGone(await world.outcome(), false)),
  },
};

describe(`the operator killed before every ${EVERY}th call, real API server`, function () {
  this.timeout(EVERY > 1 ? 120_000 : 3_600_000);
  let client: KubeClient;
  let watches: ApiWatches;
  let worlds = 0;

  before(async function () {
    this.timeout(900_000);
    const plane = await controlPlane();
    const credentials = findCredentials({ kubeconfig: plane.kubeconfig });
    client = new KubeClient({ credentials, fieldManager: 'polardb-stack-operator' });
    await installKinds(plane, client);
    await client.create(RESOURCES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const counter = { namespace, name: 'polardb4mpd-controller' };
    await client.create(RESOURCES.configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: counter });
    watches = new ApiWatches(client, namespace);
    await watches.start();
  });

  after(async () => {
    await watches.stop();
    // Nobody is left to take finalizers off.
    for (const type of [RESOURCES.pods, MPD_CLUSTERS] as ResourceType[]) {
      for (const { metadata } of await client.list(type, { namespace })) {
        await client.patchMerge(type, metadata, { metadata: { finalizers: null } }).catch(() => undefined);
        await client.delete(type, metadata, { graceSeconds: 0 });
      }
    }
    await client.delete(RESOURCES.namespaces, { name: namespace });
    await client.close();
  });

  for (const [name, { spec, before: prepare, isGoal, check }] of Object.entries(realScenarios)) {
    it(name, async () => {
      const kill = (first: number): Promise<readonly CrashPoint[]> => {
        const scenario = {
          world: async () => {
            const world = await ApiWorld.asking(watches, `c${++worlds}`, spec);
            await prepare?.(world);
            return world;
          },
          live: (world: ApiWorld, gate: CrashGate) => world.live(thinned(gate, first, ABREAST * EVERY), isGoal),
          check: async (world: ApiWorld) => {
            await check(world);
            await world.close();
          },
        };
        return atEveryCrashPoint(scenario, { limitMs: 60_000 }).then(({ points }) => points);
      };
      const points = await Promise.all(Array.from({ length: ABREAST }, (_, i) => kill(i * EVERY)));
      expect(points.flat().length).to.be.greaterThan(5);
    });
  }
});

/** A gate that counts only each `step`-th call, beginning with number `first` (from 0). */
function thinned(gate: CrashGate, first: number, step: number): CrashGate {
  let calls = 0;
  const before = (call: string): Promise<void> => (calls++ % step === first ? gate.before(call) : Promise.resolve());
  return { before, signal: gate.signal };
}

/** Repeats until it does not throw any more. */
async function holdsSoon(what: string, act: () => unknown): Promise<void> {
  const look = async (): Promise<true> => {
    await act();
    return true;
  };
  await eventually(what, look, { deadlineMs: 20_000, everyMs: 100 });
}
