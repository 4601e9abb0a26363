import { expect } from 'chai';
import { RESOURCES, type Pod } from '../kube/resources.ts';
import { silentLogger } from '../kube/testing/support.ts';
import type { SiteSettings } from '../settings/types.ts';
import { MPD_CLUSTERS } from '../kinds/mpd.ts';
import { expectRunning } from './testing/expectations.ts';
import { localSpec, siteOf } from './testing/fixtures.ts';
import { SnapshotSources } from './testing/memory-sources.ts';
import { ALWAYS_OPEN, countingGate, MemoryWorld } from './testing/memory-world.ts';
import { beginLife } from './testing/operator-life.ts';

const spec = { ...localSpec, followerNum: 1 };
/** A running cluster, an operator at rest, and the calls that it makes from now on. */
async function running() {
  const world = await MemoryWorld.asking(spec);
  const { gate, calls } = countingGate();
  const operator = world.begin(gate);
  await operator.settle();
  expectRunning(world.outcome, 1);
  const made = calls.splice(0).filter(call => /^(create|patch) (?!mpd)/.test(call));
  return { world, operator, calls, made };
}

const podOf = (world: MemoryWorld, role: 'rw' | 'ro'): Pod => {
  const [id] = Object.entries(world.cluster()?.status?.dbInstanceStatus ?? {}).find(([, it]) => it.insType === role)!;
  return world.outcome.objects.find(({ kind, metadata }) => kind === 'Pod' && metadata.name.endsWith(`-${id}`)) as Pod;
};
const epochOf = (world: MemoryWorld): unknown =>
  (world.outcome.objects.find(({ kind }) => kind === 'Lease') as unknown as { spec: { leaseTransitions: number } }).spec
    .leaseTransitions;

it('a creation makes each object once, though its watches lag behind its steps', async () => {
  const { made } = await running();
  expect(made.filter((call, i) => made.indexOf(call) !== i)).to.deep.equal([]);
});

describe('a running cluster', () => {
  it('costs no call to the API and none to an agent while nothing happens', async () => {
    const { operator, calls } = await running();
    await operator.look();
    await operator.look();
    expect(calls).to.deep.equal([]);
  });

  it('asks everything once after a restart of the operator, and writes nothing', async () => {
    const { world } = await running();
    const version = world.api.version;
    await world.live();
    expect(world.api.version).to.equal(version);
  });

  for (const role of ['rw', 'ro'] as const) {
    it(`gets the pod of its ${role} back, with the same data, when it is deleted by hand`, async () => {
      const { world, operator } = await running();
      const { metadata } = podOf(world, role);
      const volumes = world.hosts.volumes.size;
      await world.client.delete(RESOURCES.pods, metadata);
      await operator.settle();
      expectRunning(world.outcome, 1);
      expect(podOf(world, role).metadata.uid).to.not.equal(metadata.uid);
      expect(world.hosts.volumes.size).to.equal(volumes);
      expect(epochOf(world)).to.equal(role === 'rw' ? 2 : 1);
    });

    it(`brings its ${role} back when the container ends`, async () => {
      const { world, operator } = await running();
      world.hosts.restartContainer(podOf(world, role).metadata.uid!);
      await world.move();
      await operator.settle();
      expectRunning(world.outcome, 1);
      expect(epochOf(world)).to.equal(role === 'rw' ? 2 : 1);
    });
  }

  it('sees its RW again when somebody has taken our labels from its pod', async () => {
    const { world, operator } = await running();
    const { metadata } = podOf(world, 'rw');
    const labels = Object.fromEntries(Object.keys(metadata.labels!).map(name => [name, null]));
    await world.client.patchMerge(RESOURCES.pods, metadata, { metadata: { labels } });
    await operator.settle();
    expectRunning(world.outcome, 1);
    expect([podOf(world, 'rw').metadata.uid, epochOf(world)]).to.deep.equal([metadata.uid, 1]);
  });

  it('never grants anew while nobody proves the former RW stopped', async () => {
    const { world, operator } = await running();
    const { metadata } = podOf(world, 'rw');
    // Deleted from another side, with force and without our finalizer: a missing pod proves nothing.
    await world.client.patchMerge(RESOURCES.pods, metadata, { metadata: { finalizers: null } });
    await world.client.delete(RESOURCES.pods, metadata, { graceSeconds: 0 });
    for (let looks = 0; looks < 10; looks++) {
      await operator.look();
      await world.move();
    }
    expect([...world.hosts.safety.engines.values()].filter(it => it.role === 'rw')).to.have.length(1);
    expect(world.hosts.safety.violations).to.deep.equal([]);
    const ready = world.cluster()?.status?.conditions?.find(({ type }) => type === 'Ready');
    expect([ready?.status, ready?.reason]).to.deep.equal(['False', 'FormerNotProven']);
    expect(ready?.message).to.equal('nothing proves 1002 stopped');
  });

  it('mends what drifted and makes what is missing', async () => {
    const { world, operator } = await running();
    const at = (name: string) => ({ namespace: 'shop', name });
    await world.client.patchMerge(RESOURCES.services, at('orders-ro'), { spec: { selector: { somebody: 'else' } } });
    await world.client.delete(RESOURCES.podDisruptionBudgets, at('orders-ro'));
    await world.client.delete(RESOURCES.endpointSlices, at('orders-rw'));
    await operator.settle();
    expectRunning(world.outcome, 1);
    const service = await world.client.get(RESOURCES.services, at('orders-ro'));
    expect(service?.spec?.selector).to.include({ 'mpd.polardb.aliyun.com/cluster': 'orders' });
  });

  it('gives a password that was changed in its Secret to the engine', async () => {
    const { world, operator } = await running();
    const data = { password: Buffer.from('a-new-password').toString('base64') };
    await world.client.patchMerge(RESOURCES.secrets, { namespace: 'shop', name: 'orders-app' }, { data });
    await operator.settle();
    const [rw] = [...world.hosts.safety.engines.values()].filter(it => it.role === 'rw');
    expect(rw?.volume.accounts.get('app')?.password).to.equal('a-new-password');
  });
});

describe('a running cluster whose class is taken from the site', () => {
  /** A further look of a new operator at the same world, by these settings. */
  async function lookBy(world: MemoryWorld, site: SiteSettings, looks: number): Promise<void> {
    const sources = new SnapshotSources(world.api.snapshot(), site);
    const { client, hosts, now } = world;
    const life = { client, agents: hosts, sources, now, log: silentLogger, systemNamespace: 'polardb-system' };
    const reconciler = beginLife(life, ALWAYS_OPEN);
    for (let look = 0; look < looks; look++) {
      sources.show(world.api.snapshot());
      await reconciler.reconcile('shop/orders', ALWAYS_OPEN.signal);
      await world.move();
    }
  }
  const without = (): SiteSettings => ({ ...siteOf(), classes: new Map() });

  it('says what its lost pods wait for, and gets them when the class is back', async () => {
    const { world } = await running();
    await world.client.delete(RESOURCES.pods, podOf(world, 'ro').metadata);
    await lookBy(world, without(), 30);
    const said = world.cluster()?.status?.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
    expect(said).to.include.members([
      'Accepted False Refused',
      'WriterAvailable True Published',
      'Ready False Refused',
    ]);
    await world.live();
    expectRunning(world.outcome, 1);
  });
});

describe('volumes', () => {
  it('of a former cluster of the same name are neither adopted nor formatted', async () => {
    const { world } = await running();
    const data = [...world.hosts.volumes.values()].map(it => it.clusterUid);
    await world.client.delete(MPD_CLUSTERS, world.ref);
    await world.live();
    expect(world.cluster()).to.equal(undefined);
    const claims = world.outcome.objects.filter(({ kind }) => kind === 'PersistentVolumeClaim');
    expect(claims).to.have.length(2);
    expect([...world.hosts.volumes.values()].map(it => it.clusterUid)).to.deep.equal(data);
  });
});
