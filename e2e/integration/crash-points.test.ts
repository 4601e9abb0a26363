import type { MPDClusterSpecInput } from '../../crds/mpdcluster.ts';
import { MPD_CLUSTERS } from '../../operator/lifecycle/kinds.ts';
import { expectGone, expectRunning, expectStopped } from '../../operator/lifecycle/testing/expectations.ts';
import { localSpec } from '../../operator/lifecycle/testing/fixtures.ts';
import { MemoryWorld } from '../../operator/lifecycle/testing/memory-world.ts';
import { atEveryCrashPoint } from '../../operator/workflow/testing/crash-points.ts';

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

const scenarios: Record<string, Scenario> = {
  'create, local': { spec: localSpec, check: world => expectRunning(world.outcome, 2) },
  'create, share on the host network': { spec: sharedSpec, check: world => expectRunning(world.outcome, 1) },
  'delete, volumes retained': {
    spec: localSpec,
    before: then(running, remove),
    check: world => expectGone(world.outcome, true),
  },
  'delete, volumes too, on the host network': {
    spec: { ...localSpec, terminationPolicy: 'Delete', netCfg: { engineStartPort: 5500 } },
    before: then(running, remove),
    check: world => expectGone(world.outcome, false),
  },
  'a creation that is given up half way': {
    spec: { ...localSpec, terminationPolicy: 'Delete' },
    between: remove,
    check: world => (world.cluster() ? expectRunning(world.outcome, 2) : expectGone(world.outcome, false)),
  },
  'add a follower': {
    spec: { ...localSpec, followerNum: 1 },
    before: then(running, edit({ followerNum: 2 })),
    check: world => expectRunning(world.outcome, 2),
  },
  stop: {
    spec: localSpec,
    before: then(running, edit({ stopped: true })),
    check: world => expectStopped(world.outcome),
  },
  start: {
    spec: localSpec,
    before: then(running, edit({ stopped: true }), running, edit({ stopped: false })),
    check: world => expectRunning(world.outcome, 2),
  },
};

for (const [what, lag] of [
  ['watches up to date', 0],
  ['watches that lag behind', 2],
] as const) {
  describe(`the operator killed before every call, API in memory, ${what}`, function () {
    this.timeout(60_000);
    for (const [name, { spec, before, between, check }] of Object.entries(scenarios)) {
      it(name, async () => {
        const lives = new WeakMap<MemoryWorld, number>();
        const { points } = await atEveryCrashPoint<MemoryWorld>({
          world: async () => {
            const world = await MemoryWorld.asking(spec, { lag });
            await before?.(world);
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
        console.log(name, points.length);
      });
    }
  });
}
