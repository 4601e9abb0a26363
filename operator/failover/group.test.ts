import { expect } from 'chai';
import { RECORD_ANNOTATION } from '../ha/lease.ts';
import { RESOURCES } from '../kube/resources.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS, type RawOperation } from '../kinds/mpd.ts';
import { readSwitches } from './history.ts';
import { GroupWorld } from './testing/group-world.ts';
import { clusterOf, SHARED } from './testing/samples.ts';

describe('a group in the hands of its cluster manager', () => {
  it('is brought up: record, initdb, grant, promotion, verification, publication, followers', async () => {
    const world = await GroupWorld.running();
    const [rw, ro] = world.members;
    expect(world.record().holder).to.deep.equal(rw?.incarnation);
    expect(world.published()).to.equal('1001');
    expect(rw?.calls.slice(0, 3)).to.deep.equal(['install', 'promote', 'verify']);
    expect(ro?.calls.slice(0, 2)).to.deep.equal(['install', 'start']);
    expect(world.record()).to.deep.include({ k: 1 });
    expect(world.record().members).to.deep.equal([{ incarnation: ro?.incarnation, pending: false }]);
  });

  it('says who is RW, and writes nothing while nothing happens', async () => {
    const world = await GroupWorld.running();
    await world.tell();
    await world.run(1_000);
    const { leaderInstanceId, leaderInstanceHost, conditions, dbInstanceStatus } = world.status();
    expect([leaderInstanceId, leaderInstanceHost]).to.deep.equal(['1001', 'node-1']);
    const said = conditions?.map(it => `${it.type} ${it.status} ${it.reason}`);
    expect(said).to.deep.equal([
      'Accepted True SpecAccepted',
      'WriterAvailable True Published',
      'SyncReplication True Synchronous',
      'FenceStrength True AgentKubeletExpiryPerson',
    ]);
    expect(dbInstanceStatus?.['1002']).to.deep.include({ insType: 'ro', timeline: 1, lagBytes: 0 });
    expect(dbInstanceStatus?.['1002']?.currentState?.state).to.equal('RUNNING');
    world.writes.length = 0;
    await world.run(60_000);
    await world.tell();
    expect(world.writes).to.deep.equal([]);
  });

  it('says so when its RW is silent, and as soon as it is heard again', async () => {
    const world = await GroupWorld.running(clusterOf({ ...SHARED }));
    const told = async (): Promise<string | undefined> => {
      await world.tell();
      return world.status().conditions?.find(it => it.type === 'WriterAvailable')?.reason;
    };
    expect(await told()).to.equal('Published');
    // Too short for its stream to be given up.
    world.members[0]!.isCutFromManager = true;
    await world.run(2_000);
    expect(await told()).to.equal('HolderSilent');
    world.members[0]!.isCutFromManager = false;
    await world.run(1_000);
    expect(await told()).to.equal('Published');
  });

  it('has its state told also when it may not write the record', async () => {
    const world = await GroupWorld.running();
    await world.run(5_000);
    world.refused = 'leases';
    const before = world.tellings;
    world.members[0]?.crash();
    await world.run(2_000);
    expect(world.record().epoch).to.equal(1);
    expect(world.tellings).to.be.greaterThan(before);
  });

  it('an engine that died is replaced at once when the quorum answers, and the story is told', async () => {
    const world = await GroupWorld.running();
    const [first, second] = world.members;
    first?.crash();
    await world.until('the other instance is published', () => world.published() === '1002', 1_000);
    expect(world.record().holder).to.deep.equal(second?.incarnation);
    expect(world.record().fence).to.include({ rung: 1 });
    await world.run(5_000);
    await world.tell();
    const reasons = world.events.map(it => it.reason);
    expect(reasons).to.include.members(['FailoverStarted', 'Fenced', 'Promoted', 'FailoverCompleted']);
    expect(world.status().leaderInstanceId).to.equal('1002');
    const log = world.api.find(RESOURCES.configMaps, { namespace: 'shop', name: 'orders-switch-log' });
    expect(readSwitches(log as Parameters<typeof readSwitches>[0])[0]).to.include({
      from: '1001',
      to: '1002',
      rung: 1,
    });
    // The former RW is a follower again.
    expect(first?.engine).to.include({ state: 'running', role: 'ro' });
  });

  describe('on a shared volume whose members do not stream', () => {
    const cluster = clusterOf({ ...SHARED, ha: { unfencedFailover: 'afterExpiry' } });
    const cause = (world: GroupWorld): string | undefined => world.record().former?.cause;

    it('nobody is asked for anybody while all are heard', async () => {
      const world = await GroupWorld.running(cluster);
      await world.run(60_000);
      expect(world.members.map(it => it.probes)).to.deep.equal([0, 0]);
    });

    it('a host that is cut off loses its right after silence and a probe of another member', async () => {
      const world = await GroupWorld.running(cluster);
      const [rw, other] = world.members;
      const began = world.clock.now();
      rw!.isReachable = false;
      await world.until('a probe', () => (other?.probes ?? 0) > 0, 2_100);
      expect(world.record().epoch).to.equal(1);
      await world.until('the right is taken away', () => cause(world) === 'HostSilent', 600);
      expect(world.clock.now() - began).to.be.greaterThan(1_500);
      await world.until('the other instance is published', () => world.published() === '1002', 5_000);
      expect(world.record().fence).to.include({ rung: 4 });
    });

    it('an RW that only the cluster manager does not hear keeps its right for as long as others reach it', async () => {
      const world = await GroupWorld.running(cluster);
      const [rw, other] = world.members;
      rw!.isCutFromManager = true;
      await world.run(60_000);
      expect([world.record().epoch, world.published()]).to.deep.equal([1, '1001']);
      expect(other?.probes).to.be.greaterThan(50);
      rw!.isReachable = false;
      await world.until('the right is taken away', () => cause(world) === 'HostSilent', 1_100);
    });

    it('... and nobody is asked any more once it is heard again', async () => {
      const world = await GroupWorld.running(cluster);
      const [rw, other] = world.members;
      rw!.isCutFromManager = true;
      await world.run(5_000);
      rw!.isCutFromManager = false;
      await world.run(2_000);
      const probes = other?.probes;
      await world.run(10_000);
      expect([world.record().epoch, other?.probes]).to.deep.equal([1, probes]);
    });
  });

  it('a switchover that an operation asks for ends with its target as RW', async () => {
    const world = await GroupWorld.running();
    world.api.create(MPD_OPERATIONS, {
      apiVersion: 'mpd.polardb.aliyun.com/v1',
      kind: 'MPDOperation',
      metadata: { name: 'move', namespace: 'shop' },
      spec: { target: { name: 'orders' }, type: 'switchRw', switchRw: { instance: '1002' } },
    } as Parameters<typeof world.api.create>[1]);
    await world.run(5_000);
    const { status } = world.api.find(MPD_OPERATIONS, { namespace: 'shop', name: 'move' }) as {
      status?: { phase: string; data: object };
    };
    expect(status).to.deep.include({ phase: 'Succeeded' });
    expect([world.published(), world.record().epoch]).to.deep.equal(['1002', 2]);
    expect(world.members[0]?.calls).to.include.members(['checkpoint', 'demote']);
  });

  it('a switchover to nobody is refused, and nothing moves', async () => {
    const world = await GroupWorld.running();
    world.api.create(MPD_OPERATIONS, {
      apiVersion: 'mpd.polardb.aliyun.com/v1',
      kind: 'MPDOperation',
      metadata: { name: 'move', namespace: 'shop' },
      spec: { target: { name: 'orders' }, type: 'switchRw', switchRw: { instance: '77' } },
    } as Parameters<typeof world.api.create>[1]);
    await world.run(2_000);
    const { status } = world.api.find(MPD_OPERATIONS, { namespace: 'shop', name: 'move' }) as {
      status?: { phase: string; reason: string };
    };
    expect(status).to.include({ phase: 'Failed', reason: 'TargetUnknown' });
    expect(world.events.map(it => it.reason)).to.include('SwitchoverRefused');
    expect(world.record().epoch).to.equal(1);
  });

  describe('an operation that cannot begin, or is called off, holds up no others', () => {
    const make = (world: GroupWorld, spec: object): void => {
      world.api.create(MPD_OPERATIONS, {
        apiVersion: 'mpd.polardb.aliyun.com/v1',
        kind: 'MPDOperation',
        metadata: { name: 'move', namespace: 'shop' },
        spec: { target: { name: 'orders' }, ...spec },
      } as Parameters<typeof world.api.create>[1]);
    };
    const status = (world: GroupWorld) =>
      (world.api.find(MPD_OPERATIONS, { namespace: 'shop', name: 'move' }) as RawOperation).status;

    it('a switchover while nobody is RW', async () => {
      const world = await GroupWorld.running();
      for (const member of world.members) member.isReachable = false;
      await world.run(2_000);
      make(world, { type: 'switchRw', switchRw: { instance: '1002' } });
      await world.run(12_000);
      expect(status(world)).to.include({ phase: 'Failed', reason: 'NoWriter' });
    });

    it('a failover by force that waits for proof', async () => {
      const world = await GroupWorld.running(clusterOf({ ...SHARED }));
      world.members[0]!.isReachable = false;
      await world.run(2_000);
      make(world, { type: 'forceFailover', forceFailover: { acceptDataLoss: true, instance: '1002' } });
      await world.run(12_000);
      expect(status(world)).to.include({ phase: 'Running', reason: 'Forced' });
      const ref = { namespace: 'shop', name: 'move' };
      await world.api.client().patchMerge(MPD_OPERATIONS, ref, { spec: { cancelled: true } });
      await world.run(1_000);
      expect(status(world)).to.include({ phase: 'Cancelled', reason: 'CANCELLED' });
    });
  });

  it('is stopped by its record: nobody holds it, the former RW is proven', async () => {
    const world = await GroupWorld.running();
    await world.api
      .client()
      .patchMerge(MPD_CLUSTERS, { namespace: 'shop', name: 'orders' }, { spec: { stopped: true } });
    await world.run(3_000);
    expect(world.record()).to.deep.include({ epoch: 2 });
    expect([world.record().holder, world.record().fence?.rung]).to.deep.equal([undefined, 1]);
    expect(world.published()).to.equal(undefined);
    expect(world.members[0]?.engine.state).to.equal('stopped');
  });

  it('a new leader writes its term before it answers', async () => {
    const world = await GroupWorld.running();
    const { term } = world.record();
    world.lose();
    const [rw] = world.members;
    const last = rw!.answeredAt!;
    await world.run(2_000);
    expect(rw?.answeredAt).to.equal(last);
    world.regain();
    await world.run(1_000);
    expect(world.record().term).to.equal(term + 1);
    expect(rw?.answeredAt).to.be.greaterThan(last);
  });

  it('says so when the record can no longer be read, changes nothing else, and goes on when it can', async () => {
    const world = await GroupWorld.running();
    await world.tell();
    const before = world.status();
    const reason = (): string | undefined =>
      world.status().conditions?.find(it => it.type === 'WriterAvailable')?.reason;
    const client = world.api.client();
    const lease = { namespace: 'shop', name: 'orders-primary' };
    const change = (record: string | undefined) =>
      client.patchMerge(RESOURCES.leases, lease, { metadata: { annotations: { [RECORD_ANNOTATION]: record } } });
    const { [RECORD_ANNOTATION]: text } = (await client.get(RESOURCES.leases, lease))?.metadata.annotations ?? {};
    await change('{}');
    await world.run(1_000);
    await world.tell();
    expect(reason()).to.equal('RecordUnreadable');
    expect({ ...world.status(), conditions: [] }).to.deep.equal({ ...before, conditions: [] });
    await change(text);
    await world.run(2_000);
    await world.tell();
    expect(reason()).to.equal('Published');
    expect(world.record().epoch).to.equal(1);
  });

  it('goes on as soon as the API server is back', async () => {
    const world = await GroupWorld.running();
    world.isServerUp = false;
    world.members[0]?.crash();
    await world.run(3_000);
    expect(world.record().epoch).to.equal(1);
    world.isServerUp = true;
    await world.run(3_000);
    expect(world.published()).to.not.equal(undefined);
  });
});
