import { expect } from 'chai';
import type { MPDClusterSpecInput } from '../../crds/mpdcluster.ts';
import { RESOURCES, type Pod } from '../kube/resources.ts';
import type { ClusterContext } from './context.ts';
import { chooseHosts } from './host-choice.ts';
import { Memory } from './memory.ts';
import { expectRunning } from './testing/expectations.ts';
import { clusterOf, localSpec, planOf } from './testing/fixtures.ts';
import { hostOf, type ToldHost } from './testing/hosts.ts';
import { countingGate, MemoryWorld } from './testing/memory-world.ts';

const spec = { ...localSpec, followerNum: 1 };
const shared: MPDClusterSpecInput = {
  dbType: 'postgresql',
  dbClusterType: 'share',
  followerNum: 2,
  classInfo: { className: 'small' },
  shareStore: { sharePvcName: 'shared' },
};
const onHosts: MPDClusterSpecInput = { ...spec, netCfg: { engineStartPort: 5500 } };
/** Long after, and long before, all that happens here. */
const heard = new Date('2030-01-01T00:00:00Z');
const silent = new Date('2020-01-01T00:00:00Z');
const good: ToldHost = { heard, isCutOff: false };
const bad: ToldHost = { heard, isCutOff: true };

async function worldOf(hosts: Record<string, ToldHost>, asked: MPDClusterSpecInput = spec): Promise<MemoryWorld> {
  const world = await MemoryWorld.asking(asked);
  for (const [name, told] of Object.entries(hosts)) await world.tell(name, told);
  return world;
}

const pods = (world: MemoryWorld): Pod[] => world.outcome.objects.filter(({ kind }) => kind === 'Pod') as Pod[];
const places = (world: MemoryWorld): string[] => pods(world).map(({ spec: it }) => it?.nodeName ?? 'none');
const condition = (world: MemoryWorld, type: string): string => {
  const found = world.cluster()?.status?.conditions?.find(it => it.type === type);
  return `${found?.status} ${found?.reason}: ${found?.message}`;
};

/** Looks on for a while; it never comes to rest while it waits for a host. */
async function watch(world: MemoryWorld, looks = 30): Promise<void> {
  const operator = world.begin();
  for (let i = 0; i < looks; i++) {
    await operator.look();
    await world.move();
  }
}

describe('hosts of a new cluster', () => {
  it('are those that nothing is known against', async () => {
    const world = await worldOf({ 'node-0': bad, 'node-1': good, 'node-2': { heard: silent } });
    await world.live();
    expectRunning(world.outcome, 1);
    expect(new Set(places(world))).to.deep.equal(new Set(['node-1']));
  });

  it('are waited for, with the reason, when something is known against all', async () => {
    const world = await worldOf({ 'node-0': bad, 'node-1': { heard: silent } });
    await watch(world);
    expect(pods(world)).to.deep.equal([]);
    expect(world.cluster()?.status?.clusterStatus).to.equal('Creating');
    expect(condition(world, 'Ready')).to.match(
      /^False NoUsableHost: no host may take pod orders-.*: node-0: clients cannot reach it \(bond1 StateDown\); node-1: its daemon has said nothing since 2020/,
    );
    await world.tell('node-0', good);
    await world.live();
    expectRunning(world.outcome, 1);
    expect(new Set(places(world))).to.deep.equal(new Set(['node-0']));
  });

  it('may change while no node has room: a pod that waits is made anew', async () => {
    const world = await worldOf({ 'node-0': bad, 'node-1': good });
    world.fullNodes.add('node-1');
    await watch(world);
    expect([...new Set(places(world))]).to.deep.equal(['none']);
    expect(condition(world, 'Ready')).to.match(
      /^False PodUnscheduled: .*no node has room; avoided: node-0: clients cannot/,
    );
    const before = new Set(pods(world).map(({ metadata }) => metadata.uid));
    await world.tell('node-0', good);
    await world.live();
    expectRunning(world.outcome, 1);
    expect([...new Set(places(world))]).to.deep.equal(['node-0']);
    for (const { metadata } of pods(world)) expect(before.has(metadata.uid)).to.equal(false);
  });

  it('have its ports free', async () => {
    const used = { ...good, ports: [5500] };
    const world = await worldOf({ 'node-0': used, 'node-1': good, 'node-2': used }, onHosts);
    await world.live();
    expectRunning(world.outcome, 1);
    expect([...new Set(places(world))]).to.deep.equal(['node-1']);
  });

  it('see the device of its shared volume, once a host that has mounted it tells which that is', async () => {
    const lun = { kind: 'multipath', wwid: '3600', health: 'healthy' };
    const mounted = { 'device.mpatha': lun, 'volume.pv-shared': { device: 'mpatha', health: 'healthy' } };
    const world = await worldOf(
      {
        'node-0': { ...good, volumes: mounted },
        'node-1': { ...good, volumes: { 'device.sda': { kind: 'disk', wwid: 'other', health: 'healthy' } } },
        'node-2': { ...good, volumes: { 'device.mpathb': { ...lun, health: 'failed' } } },
      },
      shared,
    );
    await world.live();
    expectRunning(world.outcome, 2);
    expect([...new Set(places(world))]).to.deep.equal(['node-0']);
  });

  it('see the device that its shared volume names, also while no host has mounted it', async () => {
    const disk = (wwid: string) => ({ 'device.sda': { kind: 'disk', wwid, health: 'healthy' } });
    const world = await MemoryWorld.asking(shared);
    await world.client.create(RESOURCES.persistentVolumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'pv-shared' },
      spec: { fc: { wwids: ['3600'] } },
    });
    await world.tell('node-0', { ...good, volumes: disk('naa.700') });
    await world.tell('node-1', { ...good, volumes: disk('naa.600') });
    await world.live();
    expectRunning(world.outcome, 2);
    expect([...new Set(places(world))]).to.deep.equal(['node-1']);
  });

  it('are any where no daemon runs', async () => {
    const world = await worldOf({ 'node-0': {}, 'node-1': {} });
    await world.live();
    expectRunning(world.outcome, 1);
    expect(condition(world, 'ImagesAvailable')).to.contain('undefined');
  });
});

describe('ports of a new cluster on the host network', () => {
  it('for agent and health are in use on no host', async () => {
    const ports = Array.from({ length: 9 }, (_, i) => 36_000 + i);
    const world = await worldOf({ 'node-0': { ...good, ports }, 'node-1': good }, onHosts);
    await world.live();
    const [net] = Object.values(world.cluster()?.status?.dbInstanceStatus ?? {}).map(it => it.netInfo);
    expect([net?.agentPort, net?.healthPort].sort()).to.deep.equal([36_009, 36_010]);
  });
});

describe('hosts where no image is pulled', () => {
  const excluded = (...told: ToldHost[]): readonly string[] => {
    const all = told.map((it, i) => hostOf(`node-${i}`, it));
    const images = { ...planOf().images, pullPolicy: 'Never' as const };
    const plan = planOf({ images });
    const hosts = { all: () => all, of: () => undefined };
    const context = { cluster: clusterOf(spec), plan, hosts, memory: new Memory('uid'), tools: { now: () => heard } };
    return chooseHosts(context as unknown as ClusterContext, plan.instances[0]!).excluded;
  };

  it('are those that have the version, as soon as one has', () => {
    expect(excluded({ ...good, versions: ['pg14'] }, { ...good, versions: ['pg15'] })).to.deep.equal(['node-0']);
  });

  it('are any while none has: their kubelets say which image is missing', () => {
    expect(excluded({ ...good, versions: ['pg14'] }, { ...good, versions: [] })).to.deep.equal([]);
  });
});

describe('an instance that has run', () => {
  it('goes back to a host that something is known against rather than not at all', async () => {
    const world = await worldOf({ 'node-0': good });
    await world.live();
    await world.tell('node-0', { heard: silent, isCutOff: true });
    for (const { metadata } of pods(world)) await world.client.delete(RESOURCES.pods, metadata);
    await world.live();
    expectRunning(world.outcome, 1);
  });
});

describe('facts of hosts while nothing is to be done', () => {
  it('cost no call: neither heartbeats, nor ports, nor a link that goes down', async () => {
    const world = await worldOf({ 'node-0': { ...good, ports: [], versions: ['pg15'] } });
    const { gate, calls } = countingGate();
    const operator = world.begin(gate);
    await operator.settle();
    calls.length = 0;
    for (const told of [{ ...good, heard: new Date('2030-01-01T00:00:30Z') }, { ...good, ports: [80] }, bad]) {
      await world.tell('node-0', told);
      await operator.look();
    }
    expect(calls).to.deep.equal([]);
    expect(condition(world, 'ImagesAvailable')).to.match(/^True ImagesPresent/);
  });
});
