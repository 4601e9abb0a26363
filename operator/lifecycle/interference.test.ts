import { expect } from 'chai';
import type { MPDClusterSpecInput } from '../../crds/mpdcluster.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS, type RawOperation } from '../kinds/mpd.ts';
import { RESOURCES } from '../kube/resources.ts';
import { expectGone, expectRunning, expectStopped } from './testing/expectations.ts';
import { localSpec } from './testing/fixtures.ts';
import { MemoryWorld } from './testing/memory-world.ts';

const spec = { ...localSpec, followerNum: 1 };

async function running(of: typeof spec & Partial<MPDClusterSpecInput> = spec): Promise<MemoryWorld> {
  const world = await MemoryWorld.asking(of);
  await world.live();
  expectRunning(world.outcome, of.followerNum);
  return world;
}

/** So many looks of one operator. */
async function look(world: MemoryWorld, times: number): Promise<void> {
  const life = world.begin();
  for (let i = 0; i < times; i++) {
    await life.look();
    await world.move();
  }
}

/** No node takes a further pod. */
async function fill(world: MemoryWorld): Promise<void> {
  for (const node of ['node-0', 'node-1']) {
    await world.tell(node, {});
    world.fullNodes.add(node);
  }
}

const annotate = (world: MemoryWorld, annotations: Record<string, string>) =>
  world.client.patchMerge(MPD_CLUSTERS, world.ref, { metadata: { annotations } });

const byHand = (of: Partial<RawOperation['spec']>, metadata: object = {}): RawOperation => ({
  apiVersion: MPD_OPERATIONS.apiVersion,
  kind: MPD_OPERATIONS.kind,
  metadata: { namespace: 'shop', name: 'by-hand', ...metadata },
  spec: { target: { kind: 'MPDCluster', name: 'orders' }, type: 'restartCluster', requestedBy: 'user', ...of },
});

const operationsOf = (world: MemoryWorld): RawOperation[] =>
  [...world.api.snapshot().values()].filter(({ kind }) => kind === 'MPDOperation') as RawOperation[];
const phases = (world: MemoryWorld): string[] =>
  operationsOf(world).map(({ metadata, status }) => `${metadata.name} ${status?.phase ?? ''}`);
const readiness = (world: MemoryWorld): string => {
  const { status, reason, message } = world.cluster()?.status?.conditions?.find(({ type }) => type === 'Ready') ?? {};
  return `${status} ${reason}: ${message}`;
};
const podsOf = (world: MemoryWorld): string[] =>
  world.outcome.objects.filter(({ kind }) => kind === 'Pod').map(({ metadata }) => metadata.name);

describe('an operation that is called off', () => {
  it('is that one alone: the next one runs', async () => {
    const world = await running();
    await fill(world);
    await world.edit({ followerNum: 2 });
    await look(world, 20);
    await annotate(world, { cancelled: 'true' });
    await look(world, 20);
    expect(phases(world)).to.include('orders-addro-g2 Cancelled');
    expect(world.cluster()?.metadata.annotations).to.deep.equal({});
    expect(world.cluster()?.status?.clusterStatus).to.equal('Running');
    await world.edit({ stopped: true });
    await world.live();
    expect(world.cluster()?.status?.clusterStatus).to.equal('Stopped');
  });

  it('is none when nothing is going on', async () => {
    const world = await running();
    await annotate(world, { cancelled: 'true' });
    await world.live();
    expect(world.cluster()?.metadata.annotations).to.deep.equal({});
    await world.edit({ stopped: true });
    await world.live();
    expectStopped(world.outcome);
  });

  for (const looks of [1, 2, 4]) {
    it(`cannot be the deletion: it goes on to its end (asked after ${looks} looks)`, async () => {
      const world = await running();
      await world.client.delete(MPD_CLUSTERS, world.ref);
      await look(world, looks);
      await annotate(world, { cancelled: 'true' });
      const [operation] = operationsOf(world).filter(it => it.spec.type === 'delete');
      if (operation) await world.client.patchMerge(MPD_OPERATIONS, operation.metadata, { spec: { cancelled: true } });
      await world.live();
      expectGone(world.outcome, true);
    });
  }

  it('holds up no request that comes after it', async () => {
    const world = await running();
    await world.edit({ followerNum: 2 });
    await look(world, 1);
    const asked = operationsOf(world).find(({ spec: { type } }) => type === 'addRo')!;
    await world.client.patchMerge(MPD_OPERATIONS, asked.metadata, { spec: { cancelled: true } });
    await look(world, 5);
    expect(phases(world)).to.include('orders-addro-g2 Cancelled');
    await annotate(world, { restartCluster: 'T' });
    await look(world, 5);
    expect(phases(world).filter(it => it.startsWith('orders-restartcluster-'))).to.have.length(1);
  });
});

describe('spec that asks for the opposite meanwhile', () => {
  it('stops a cluster whose new member waits for room', async () => {
    const world = await running();
    await fill(world);
    await world.edit({ followerNum: 2 });
    await look(world, 40);
    expect(readiness(world)).to.contain('PodUnscheduled');
    await world.edit({ stopped: true });
    await world.live();
    expect(world.cluster()?.status?.clusterStatus).to.equal('Stopped');
    expect(podsOf(world)).to.deep.equal([]);
  });

  it('lets a cluster run whose stop has not begun', async () => {
    const world = await running();
    world.manager.isAway = true;
    await world.edit({ stopped: true });
    await look(world, 20);
    await world.edit({ stopped: false });
    world.manager.isAway = false;
    await world.live();
    expect(readiness(world)).to.equal('True AllInstancesReady: the cluster is as spec asks');
    expect(phases(world)).to.include('orders-stop-g2 Cancelled');
  });

  it('takes back a start with all that it had made', async () => {
    const world = await running();
    await world.edit({ stopped: true });
    await world.live();
    world.manager.isAway = true;
    await world.edit({ stopped: false });
    await look(world, 20);
    expect(podsOf(world)).to.have.length(2);
    await world.edit({ stopped: true });
    world.manager.isAway = false;
    await world.live();
    expect(world.cluster()?.status?.clusterStatus).to.equal('Stopped');
    expect(podsOf(world)).to.deep.equal([]);
  });

  it('makes nothing of a cluster that is to be stopped from the beginning', async () => {
    const world = await MemoryWorld.asking({ ...spec, stopped: true });
    await world.live();
    expect(world.outcome.objects).to.deep.equal([]);
    expect(readiness(world)).to.match(/^False Stopped: spec.stopped is true/);
    await world.edit({ stopped: false });
    await world.live();
    expectRunning(world.outcome, 1);
  });
});

describe('an operation that somebody made by hand', () => {
  it('does not delete a cluster that nobody deletes', async () => {
    const world = await running({ ...spec, terminationPolicy: 'Delete' });
    await world.edit({ stopped: true });
    await world.live();
    const claims = () => world.outcome.objects.filter(({ kind }) => kind === 'PersistentVolumeClaim');
    const before = claims();
    await world.client.create(MPD_OPERATIONS, byHand({ type: 'delete', requestedBy: 'spec' }));
    await world.live();
    expect(claims()).to.deep.equal(before);
    expect(phases(world)).to.include('by-hand Failed');
  });

  it('goes with its cluster', async () => {
    const world = await running();
    await world.client.create(MPD_OPERATIONS, byHand({}));
    await world.live();
    await world.client.delete(MPD_CLUSTERS, world.ref);
    await world.live();
    expectGone(world.outcome, true);
    expect(phases(world)).to.deep.equal([]);
  });

  it('fails at once when there is no such cluster', async () => {
    const world = await running();
    await world.client.delete(MPD_CLUSTERS, world.ref);
    await world.live();
    await world.client.create(MPD_OPERATIONS, byHand({}));
    await world.live();
    const [{ status } = {}] = operationsOf(world);
    expect(status?.phase).to.equal('Failed');
    expect(status?.message).to.equal('there is no MPDCluster "orders" in namespace shop');
  });
});

describe('a cluster whose name another one had', () => {
  it('carries out nothing that was asked of the former one', async () => {
    const world = await MemoryWorld.asking(spec);
    const owner = { apiVersion: 'mpd.polardb.aliyun.com/v1', kind: 'MPDCluster', name: 'orders', uid: 'former' };
    await world.client.create(
      MPD_OPERATIONS,
      byHand({ type: 'delete', requestedBy: 'spec' }, { ownerReferences: [owner] }),
    );
    await world.client.patchStatus(MPD_OPERATIONS, { namespace: 'shop', name: 'by-hand' }, { phase: 'Waiting' });
    await world.live();
    expect(phases(world)).to.deep.equal(['by-hand Waiting', 'orders-create-00000000 Succeeded']);
    expect(readiness(world)).to.contain('AllInstancesReady');
  });

  it('tells nothing of the former one as its own, though nobody saw it gone', async () => {
    const world = await MemoryWorld.asking(spec);
    const life = world.begin();
    await life.settle();
    expect(world.cluster()?.status?.version).to.be.a('string');
    const { apiVersion, kind, spec: asked } = world.cluster()!;
    await world.client.delete(MPD_CLUSTERS, world.ref);
    await world.client.patchMerge(MPD_CLUSTERS, world.ref, { metadata: { finalizers: null } });
    await world.client.create(MPD_CLUSTERS, { apiVersion, kind, metadata: { ...world.ref }, spec: asked });
    for (let looks = 0; looks < 3; looks++) {
      await life.look();
      await world.move();
    }
    expect(world.cluster()?.status?.version).to.equal(undefined);
  });
});

describe('a deletion while a watch shows nothing new', () => {
  for (const [plural, left] of [
    [RESOURCES.pods.plural, 'pods'],
    [RESOURCES.persistentVolumeClaims.plural, 'volumes'],
  ] as const) {
    it(`leaves no ${left} behind`, async () => {
      const world = await MemoryWorld.asking({ ...spec, terminationPolicy: 'Delete' });
      world.stalled.add(plural);
      await look(world, 3);
      await world.client.delete(MPD_CLUSTERS, world.ref);
      await look(world, 20);
      world.stalled.clear();
      await world.live();
      expectGone(world.outcome, false);
    });
  }
});

describe('what somebody took away by hand', () => {
  for (const [type, name] of [
    [RESOURCES.secrets, 'orders-app'],
    [RESOURCES.configMaps, 'orders-running-params'],
  ] as [typeof RESOURCES.secrets, string][]) {
    it(`comes back: the labels of ${name}, by which its changes are seen`, async () => {
      const world = await running();
      const ref = { namespace: 'shop', name };
      const before = world.api.find(type, ref)?.metadata.labels;
      await world.client.patchMerge(type, ref, { metadata: { labels: null } });
      await world.live();
      expect(world.api.find(type, ref)?.metadata.labels).to.deep.equal(before);
    });
  }

  it('does no harm when it was the counter of ids', async () => {
    const world = await running();
    const before = Object.entries(world.cluster()?.status?.dbInstanceStatus ?? {});
    const metadata = { namespace: 'polardb-system', name: 'polardb4mpd-controller' };
    await world.client.replace(RESOURCES.configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { NextClusterScopeCustInsId: '1001' },
    });
    await world.edit({ followerNum: 2 });
    await world.live();
    expectRunning(world.outcome, 2);
    const after = world.cluster()?.status?.dbInstanceStatus ?? {};
    for (const [id, { podName }] of before) expect(after[id]?.podName).to.equal(podName);
  });
});
