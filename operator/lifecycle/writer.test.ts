import { expect } from 'chai';
import type { MPDClusterSpecInput } from '../../crds/mpdcluster.ts';
import { RESOURCES, type PersistentVolumeClaim } from '../kube/resources.ts';
import { clusterLabels } from '../model/labels.ts';
import { expectRunning } from './testing/expectations.ts';
import { localSpec } from './testing/fixtures.ts';
import { MemoryWorld } from './testing/memory-world.ts';
import { SimulatedVolume } from './testing/simulated-data.ts';

const spec = { ...localSpec, followerNum: 1 };

const readyOf = (world: MemoryWorld): string => {
  const found = world.cluster()?.status?.conditions?.find(({ type }) => type === 'Ready');
  return `${found?.status} ${found?.reason}: ${found?.message}`;
};

/** Looks on while the world moves, until the condition says so. @throws Error with what it says instead */
async function until(world: MemoryWorld, operator: ReturnType<MemoryWorld['begin']>, text: string): Promise<void> {
  for (let looks = 0; looks < 60; looks++) {
    if (readyOf(world).includes(text)) return;
    await operator.look();
    await world.hosts.step();
  }
  throw new Error(`not "${text}" but "${readyOf(world)}"`);
}

/** A claim that another cluster of this name left, with its data. */
async function leftover(world: MemoryWorld, instanceId: string): Promise<SimulatedVolume> {
  const metadata = { namespace: 'shop', name: `orders-${instanceId}-data`, labels: clusterLabels('orders') };
  const claim: PersistentVolumeClaim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata };
  const { metadata: made } = await world.client.create(RESOURCES.persistentVolumeClaims, claim);
  const volume = new SimulatedVolume(`claim ${made.name} ${made.uid}`);
  volume.identity = { clusterUid: 'a-former-cluster', epoch: 7 };
  volume.data = 'initialized';
  volume.systemId = 'the system of a former cluster';
  world.hosts.volumes.set(volume.id, volume);
  return volume;
}

describe('bringing up a group', () => {
  for (const [what, instanceId, reason] of [
    ['RW', '1002', 'VolumeUnusable'],
    ['follower', '1004', 'VolumeForeign'],
  ] as const) {
    it(`never touches data of a former cluster on the volume of the ${what}, and says so`, async () => {
      const world = await MemoryWorld.asking(spec);
      const volume = await leftover(world, instanceId);
      const before = [structuredClone(volume.identity), volume.data, volume.systemId];
      await until(world, world.begin(), reason);
      expect([volume.identity, volume.data, volume.systemId]).to.deep.equal(before);
      expect(world.hosts.safety.violations).to.deep.equal([]);
      expect(readyOf(world)).to.contain(instanceId);
    });
  }

  it('begins a copy again whose source went away', async () => {
    const world = await MemoryWorld.asking(spec);
    const operator = world.begin();
    await until(world, operator, 'CopyingData');
    const [rw] = [...world.hosts.safety.engines.keys()];
    world.hosts.restartContainer(rw!.split('/')[1]!);
    await operator.settle();
    expectRunning(world.outcome, 1);
  });

  for (const [step, text] of [
    ['its engine is initialized', 'EngineWorking'],
    ['followers copy', 'CopyingData'],
  ] as const) {
    it(`brings back the pod of the RW that is deleted by hand while ${step}`, async () => {
      const world = await MemoryWorld.asking(spec);
      const operator = world.begin();
      await until(world, operator, text);
      const rw = world.outcome.objects.find(({ kind, metadata }) => kind === 'Pod' && metadata.name.endsWith('-1002'))!;
      await world.client.delete(RESOURCES.pods, rw.metadata);
      await operator.settle();
      expectRunning(world.outcome, 1);
    });
  }

  it('waits for an agent that does not answer, and goes on when it does', async () => {
    const world = await MemoryWorld.asking(spec);
    const operator = world.begin();
    await until(world, operator, 'EngineWorking');
    for (const { metadata } of world.outcome.objects.filter(({ kind }) => kind === 'Pod')) {
      world.hosts.restartContainer(metadata.uid!);
    }
    for (let looks = 0; looks < 3; looks++) await operator.look();
    expect(readyOf(world)).to.contain('does not answer');
    await operator.settle();
    expectRunning(world.outcome, 1);
  });

  it('keeps members of a shared volume without an engine beside the one RW', async () => {
    const shared: MPDClusterSpecInput = {
      dbType: 'postgresql',
      dbClusterType: 'share',
      followerNum: 2,
      classInfo: { className: 'small' },
      shareStore: { sharePvcName: 'shared' },
    };
    const world = await MemoryWorld.asking(shared);
    await world.live();
    expectRunning(world.outcome, 2);
    expect([...world.hosts.safety.engines.values()].map(({ role }) => role)).to.deep.equal(['rw']);
  });

  it('refuses a shared claim that is not there, and goes on when it is', async () => {
    const claimed: MPDClusterSpecInput = {
      dbType: 'postgresql',
      dbClusterType: 'share',
      followerNum: 0,
      classInfo: { className: 'small' },
      shareStore: { sharePvcName: 'shared' },
    };
    const world = await MemoryWorld.asking(claimed);
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
