import { expect } from 'chai';
import type { MPDClusterSpecInput } from '../../crds/mpdcluster.ts';
import { RESOURCES, type PersistentVolumeClaim } from '../kube/resources.ts';
import { clusterLabels } from '../model/labels.ts';
import { MPD_CLUSTERS } from '../kinds/mpd.ts';
import { expectGone, expectRunning, expectStopped } from './testing/expectations.ts';
import { localSpec } from './testing/fixtures.ts';
import { MemoryWorld } from './testing/memory-world.ts';
import { SimulatedVolume } from './testing/simulated-data.ts';

const spec = { ...localSpec, followerNum: 1 };
const shareSpec: MPDClusterSpecInput = {
  dbType: 'postgresql',
  dbClusterType: 'share',
  followerNum: 2,
  classInfo: { className: 'small' },
  shareStore: { sharePvcName: 'shared' },
};

const readyOf = (world: MemoryWorld): string => {
  const found = world.cluster()?.status?.conditions?.find(({ type }) => type === 'Ready');
  return `${found?.status} ${found?.reason}: ${found?.message}`;
};
const writers = (world: MemoryWorld): number =>
  [...world.hosts.safety.engines.values()].filter(it => it.role === 'rw').length;

/** Looks on while the world moves, until the condition says so. @throws Error with what it says instead */
async function until(world: MemoryWorld, operator: ReturnType<MemoryWorld['begin']>, text: string): Promise<void> {
  for (let looks = 0; looks < 60; looks++) {
    if (readyOf(world).includes(text)) return;
    await operator.look();
    await world.move();
  }
  throw new Error(`not "${text}" but "${readyOf(world)}"`);
}

/** A claim that another cluster of this name left, with its data. */
async function leftover(world: MemoryWorld, instanceId: string): Promise<SimulatedVolume> {
  const metadata = { namespace: 'shop', name: `orders-${instanceId}-data`, labels: clusterLabels('orders') };
  const claim: PersistentVolumeClaim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata };
  const { metadata: made } = await world.client.create(RESOURCES.persistentVolumeClaims, claim);
  const volume = new SimulatedVolume(`claim ${made.name} ${made.uid}`);
  volume.clusterUid = 'a-former-cluster';
  world.hosts.volumes.set(volume.id, volume);
  return volume;
}

describe('bringing up a group', () => {
  for (const [what, instanceId, reason] of [
    ['RW', '1002', 'VolumeUnusable'],
    ['follower', '1004', 'FollowersNotReady: instance 1004 is FAILED: its volume has data of another cluster'],
  ] as const) {
    it(`tells what the cluster manager says of data of a former cluster on the volume of the ${what}`, async () => {
      const world = await MemoryWorld.asking(spec);
      const volume = await leftover(world, instanceId);
      await until(world, world.begin(), reason);
      expect(volume.clusterUid).to.equal('a-former-cluster');
      expect(world.hosts.safety.violations).to.deep.equal([]);
    });
  }

  it('keeps members of a shared volume without an engine beside the one RW', async () => {
    const world = await MemoryWorld.asking(shareSpec);
    await world.live();
    expectRunning(world.outcome, 2);
    expect([...world.hosts.safety.engines.values()].map(({ role }) => role)).to.deep.equal(['rw']);
  });

  it('refuses a shared claim that is not there, and goes on when it is', async () => {
    const world = await MemoryWorld.asking({ ...shareSpec, followerNum: 0 });
    const ref = { namespace: 'shop', name: 'shared' };
    const claim = (await world.client.get(RESOURCES.persistentVolumeClaims, ref))!;
    await world.client.delete(RESOURCES.persistentVolumeClaims, ref);
    const operator = world.begin();
    await until(world, operator, 'there is no claim "shared"');
    await world.client.create(RESOURCES.persistentVolumeClaims, { ...claim, metadata: ref });
    await operator.settle();
    expectRunning(world.outcome, 0);
  });
});

describe('while the cluster manager is away', () => {
  it('a new cluster waits for it, and goes on when it is back', async () => {
    const world = await MemoryWorld.asking(spec);
    world.manager.isAway = true;
    await world.live();
    expect(readyOf(world)).to.contain('ClusterManagerPending');
    world.manager.isAway = false;
    await world.live();
    expectRunning(world.outcome, 1);
  });

  it('no pod goes before the RW is stopped, whether the cluster stops or is deleted', async () => {
    for (const [ask, check] of [
      [(world: MemoryWorld) => world.edit({ stopped: true }), (world: MemoryWorld) => expectStopped(world.outcome)],
      [
        (world: MemoryWorld) => world.client.delete(MPD_CLUSTERS, world.ref),
        (world: MemoryWorld) => expectGone(world.outcome, true),
      ],
    ] as const) {
      const world = await MemoryWorld.asking(spec);
      await world.live();
      world.manager.isAway = true;
      await ask(world);
      await world.live();
      expect([writers(world), readyOf(world)]).to.deep.equal([1, readyOf(world)]);
      expect(readyOf(world)).to.contain('ClusterManagerPending');
      world.manager.isAway = false;
      await world.live();
      check(world);
    }
  });
});

describe('a change of the RW', () => {
  it('is shown in status, and no instance is added for the one that is told as follower now', async () => {
    const world = await MemoryWorld.asking(spec);
    await world.live();
    const rw = world.cluster()?.status?.leaderInstanceId;
    const pod = world.outcome.objects.find(({ kind, metadata }) => kind === 'Pod' && metadata.name.endsWith(`-${rw}`))!;
    await world.client.delete(RESOURCES.pods, pod.metadata);
    await world.live();
    expectRunning(world.outcome, 1);
    expect(world.cluster()?.status?.leaderInstanceId).to.not.equal(rw);
  });
});
