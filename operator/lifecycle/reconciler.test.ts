import { expect } from 'chai';
import { OPERATION_ANNOTATION } from '../../crds/annotations.ts';
import { KubeError } from '../kube/errors.ts';
import { RESOURCES, type ConfigMap, type Pod } from '../kube/resources.ts';
import type { CrashGate } from '../workflow/testing/crash-points.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS, type RawOperation } from '../kinds/mpd.ts';
import { expectGone, expectRunning, expectStopped } from './testing/expectations.ts';
import { localSpec } from './testing/fixtures.ts';
import { MemoryWorld } from './testing/memory-world.ts';

const spec = { ...localSpec, followerNum: 1 };

async function running(): Promise<MemoryWorld> {
  const world = await MemoryWorld.asking(spec);
  await world.live();
  expectRunning(world.outcome, 1);
  return world;
}

/** An API server that refuses these calls for a reason that does not pass. */
function refusing(pattern: RegExp): CrashGate {
  const before = (call: string): Promise<void> =>
    pattern.test(call)
      ? Promise.reject(new KubeError({ status: 403, reason: 'Forbidden', message: `${call}: exceeded quota` }))
      : Promise.resolve();
  return { before, signal: new AbortController().signal };
}

const say = (world: MemoryWorld, annotations: Record<string, string>) =>
  world.client.patchMerge(MPD_CLUSTERS, world.ref, { metadata: { annotations } });
const resume = (world: MemoryWorld) => say(world, { [OPERATION_ANNOTATION.interruptRecover]: 'T' });

const readiness = (world: MemoryWorld): string => {
  const { reason, message } = world.cluster()?.status?.conditions?.find(({ type }) => type === 'Ready') ?? {};
  return `${reason}: ${message}`;
};

async function deleteRw(world: MemoryWorld): Promise<void> {
  const [id] = Object.entries(world.cluster()?.status?.dbInstanceStatus ?? {}).find(([, it]) => it.insType === 'rw')!;
  const isRw = (name: string): boolean => name.endsWith(`-${id}`);
  const pod = world.outcome.objects.find(({ kind, metadata }) => kind === 'Pod' && isRw(metadata.name)) as Pod;
  await world.client.delete(RESOURCES.pods, pod.metadata);
}

describe('a cluster that cannot be mended', () => {
  it('says why, and is mended when the cause goes', async () => {
    const world = await running();
    await deleteRw(world);
    const { look } = world.begin(refusing(/^create pods/));
    for (let looks = 0; looks < 15; looks++) {
      await look();
      await world.move();
    }
    expect(readiness(world)).to.match(/^MaintenanceFailed: create pods .*exceeded quota$/);
    await world.live();
    expectRunning(world.outcome, 1);
  });
});

describe('an object that cannot be made', () => {
  it('keeps no engine down', async () => {
    const world = await running();
    const [budget] = world.outcome.objects.filter(({ kind }) => kind === 'PodDisruptionBudget');
    await world.client.delete(RESOURCES.podDisruptionBudgets, budget!.metadata);
    await deleteRw(world);
    const { look } = world.begin(refusing(/^patch poddisruptionbudgets/));
    for (let looks = 0; looks < 15; looks++) {
      await look();
      for (let moves = 0; moves < 10; moves++) await world.move();
    }
    expect(readiness(world)).to.match(/^MaintenanceFailed: patch poddisruptionbudgets/);
    expect(world.outcome.objects.filter(({ kind }) => kind === 'Pod')).to.have.length(2);
  });
});

describe('an operation that was interrupted', () => {
  it('goes on when a person says so: delete', async () => {
    const world = await running();
    await world.client.delete(MPD_CLUSTERS, world.ref);
    await world.live(refusing(/^delete pods/));
    expect(world.cluster()?.status?.clusterStatus).to.equal('Interrupt');
    await resume(world);
    await world.live();
    expectGone(world.outcome, true);
  });

  it('goes on when a person says so: stop, whose RW stays stopped meanwhile', async () => {
    const world = await running();
    await world.edit({ stopped: true });
    await world.live(refusing(/^delete pods/));
    expect(world.cluster()?.status?.clusterStatus).to.equal('Interrupt');
    expect([...world.hosts.safety.engines.values()].filter(it => it.role === 'rw')).to.have.length(0);
    await resume(world);
    await world.live();
    expectStopped(world.outcome);
  });

  it('leaves the cluster running and kept when a person gives it up', async () => {
    const world = await running();
    await world.edit({ stopped: true });
    await world.live(refusing(/^delete pods/));
    await say(world, { [OPERATION_ANNOTATION.cancelled]: 'true' });
    await world.edit({ stopped: false });
    await world.live();
    await deleteRw(world);
    await world.live();
    expect([...world.hosts.safety.engines.values()].filter(it => it.role === 'rw')).to.have.length(1);
    expect(world.hosts.safety.violations).to.deep.equal([]);
  });
});

describe('a cluster whose name another one had', () => {
  const byHand = (type: RawOperation['spec']['type']): RawOperation => ({
    apiVersion: MPD_OPERATIONS.apiVersion,
    kind: MPD_OPERATIONS.kind,
    metadata: { namespace: 'shop', name: 'by-hand' },
    spec: { target: { kind: 'MPDCluster', name: 'orders' }, type, requestedBy: 'user' },
  });
  const byHandIn = (world: MemoryWorld): RawOperation =>
    [...world.api.snapshot().values()].find(it => it.metadata.name === 'by-hand') as RawOperation;

  it('does not run by the parameters that the former one left', async () => {
    const world = await MemoryWorld.asking(spec);
    const name = 'orders-running-params';
    const labels = { 'app.kubernetes.io/managed-by': 'polardb-stack', 'mpd.polardb.aliyun.com/cluster': 'orders' };
    const owner = { apiVersion: 'mpd.polardb.aliyun.com/v1', kind: 'MPDCluster', name: 'orders', uid: 'former' };
    const metadata = { namespace: 'shop', name, labels, ownerReferences: [owner] };
    const left: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { work_mem: '9GB' } };
    await world.client.create(RESOURCES.configMaps, left);
    await world.live();
    const told = [...world.hosts.safety.engines.values()].map(it => JSON.stringify(it));
    expect(told.join()).to.not.contain('9GB');
    expect(readiness(world)).to.contain('AllInstancesReady');
  });

  for (const [type, phase] of [
    ['restartCluster', 'Pending'],
    ['restartCluster', 'Running'],
    ['addRo', 'Interrupted'],
    ['switchRw', 'Pending'],
  ] as const) {
    it(`is not held up by what a person asked of the former one: ${type} ${phase}`, async () => {
      const world = await MemoryWorld.asking(spec);
      await world.client.create(MPD_OPERATIONS, byHand(type));
      await world.client.patchStatus(MPD_OPERATIONS, { namespace: 'shop', name: 'by-hand' }, { phase });
      const { apiVersion, kind, spec: asked } = world.cluster()!;
      await world.client.delete(MPD_CLUSTERS, world.ref);
      // Creation times have whole seconds.
      for (let moves = 0; moves < 10; moves++) await world.move();
      await world.client.create(MPD_CLUSTERS, { apiVersion, kind, metadata: { ...world.ref }, spec: asked });
      world.lag = 2;
      await world.live();
      expect(readiness(world)).to.contain('AllInstancesReady');
      const { status } = byHandIn(world);
      const message = 'it was made for a former cluster of this name';
      expect(status).to.include({ phase: 'Cancelled', reason: 'CANCELLED', message });
      expect(status?.finishedAt).to.be.a('string');
    });
  }

  it('takes what was asked in the second in which it was made for its own: a release without it refuses', async () => {
    const world = await MemoryWorld.asking(spec);
    await world.client.create(MPD_OPERATIONS, byHand('restartCluster'));
    await world.live();
    expect(byHandIn(world).status?.phase).to.equal('Failed');
  });
});
