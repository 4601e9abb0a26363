import { expect } from 'chai';
import type { Report } from '../agent-api/beat.ts';
import { parseIncarnation } from '../ha/incarnation.ts';
import { parseLsn } from '../ha/lsn.ts';
import { connect, createRo, createRw, done, grantTo, revokeNow, SETTINGS, upstreamOf } from './testing/cluster.ts';
import { Manager, peerOf } from './testing/manager.ts';
import { eventually } from './testing/namespace.ts';
import { REPLICATOR_PASSWORD, Site, type Pod } from './testing/pod.ts';

describe('agents with a cluster manager (real PostgreSQL, real PID namespaces)', function () {
  this.timeout(90_000);
  let site: Site;
  let pods: [Pod, Pod, Pod];
  let names: [string, string, string];
  let managers: Manager[] = [];

  before(async () => {
    site = await Site.open();
    pods = [await site.pod('1001'), await site.pod('1002'), await site.pod('1003')];
    const rw = await createRw(site, pods[0]);
    const slots = [pods[1], pods[2]].map(pod => upstreamOf(pods[0], pod).slot);
    names = [rw, await createRo(site, pods[0], pods[1], slots), await createRo(site, pods[0], pods[2], slots)];
    managers = await Promise.all(pods.map(pod => Manager.to(site, pod)));
  });
  after(async () => {
    for (const manager of managers) manager.close();
    await site.close();
  });

  const [RW, B, C] = [0, 1, 2] as const;
  const manager = (which: number): Manager => managers[which]!;
  const command = (which: number) => site.command(names[which]!);
  const sql = async <Row extends object>(pod: Pod, text: string): Promise<Row[]> => {
    const client = await connect(site, pod, 'replicator', REPLICATOR_PASSWORD);
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  };
  const members = (which: readonly number[], pending = false) =>
    which.map(it => ({ incarnation: parseIncarnation(names[it]!)!, pending }));

  it('tell twice a second how they stand, through one session', async () => {
    const isStreaming = (it: Report) => it.senders?.every(sender => sender.state === 'streaming');
    const rw = await manager(RW).report('senders', it => isStreaming(it) && it.echo);
    expect(rw.engine).to.include({ state: 'running', role: 'rw', acceptsWrites: true, timeline: 1 });
    expect(rw.senders?.map(it => it.incarnation).sort()).to.deep.equal([names[B], names[C]].sort());
    expect(rw.right).to.deep.equal({ kind: 'alone' });
    expect(rw.echo).to.include({ epoch: 1 });
    const follower = await manager(B).report('streaming', it => it.receiver?.streaming);
    expect(follower.receiver).to.deep.equal({ streaming: true, upstreamAddress: '127.0.0.1' });
    expect(follower).to.deep.include({ leaving: false, needsRejoin: false });
    const count = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'polardb-stack'`;
    for (let i = 0; i < 4; i++) await manager(RW).report('one more', () => true);
    expect(await sql<{ n: number }>(pods[RW], count)).to.deep.equal([{ n: 1 }]);
  });

  it('say whether they reach an RW that the cluster manager does not hear, for as long as they are asked', async () => {
    const asked = manager(B);
    asked.silent = { ...peerOf(site, pods[RW], names[RW]), since: 'n1' };
    const { probe } = await asked.report('reached', it => it.probe?.reached);
    expect(probe).to.deep.equal({ incarnation: names[RW], since: 'n1', reached: true });
    process.kill(pods[RW].agentPid, 'SIGSTOP');
    try {
      await asked.report('not reached', it => it.probe?.reached === false);
    } finally {
      process.kill(pods[RW].agentPid, 'SIGCONT');
    }
    await asked.report('reached again', it => it.probe?.reached);
    asked.silent = undefined;
    await asked.report('not asked', it => it.probe === undefined);
  });

  it('a write proves itself through a role that may do nothing else', async () => {
    const result = await manager(RW).client.verify({ command: command(RW) });
    expect(result).to.deep.include({ isWritten: true });
    expect(await manager(RW).client.checkpoint({ command: command(RW), waitMs: 10_000 })).to.deep.equal({
      isDone: true,
    });
  });

  it('members that commits wait for: recorded as pending, then in the engine, then in full', async () => {
    const [pending] = [members([B, C], true)];
    site.api.record = { ...site.api.record!, members: pending, k: 1, generation: 2 };
    const request = { command: command(RW), generation: 2, members: [names[B], names[C]], k: 1 };
    const quorum = await manager(RW).client.quorum(request);
    expect(quorum).to.deep.include({ generation: 2, isInEffect: true });
    expect(parseLsn(quorum.since ?? '')).to.be.a('bigint');
    site.api.record = { ...site.api.record, members: members([B, C]) };
    expect((await manager(RW).client.state()).right).to.include({ unbounded: false });
    await sql(pods[RW], 'CREATE TABLE t (id int); INSERT INTO t VALUES (1)');
    const older = manager(RW).client.quorum({ ...request, command: command(RW), generation: 1, members: [], k: 0 });
    expect(await older.catch((error: unknown) => error)).to.include({ code: 'StaleCommand' });
  });

  it('answers of the cluster manager are right enough while the API server is away', async () => {
    const { postmaster } = pods[RW];
    site.api.mode = 'refuse';
    const began = Date.now();
    await eventually('longer than a right lasts', () => Date.now() - began > 4_000);
    expect(pods[RW].postmaster).to.equal(postmaster);
    expect(manager(RW).last?.right.kind).to.equal('answer');
  });

  it('so are promises of all members while the cluster manager is away too, and not of one', async () => {
    const { postmaster } = pods[RW];
    for (const it of managers) it.peers = pods.map((pod, i) => peerOf(site, pod, names[i]!));
    await manager(RW).report('peers are known', () => true);
    for (const it of managers) it.answers = it.isLeader = false;
    const began = Date.now();
    await eventually('longer than a right lasts', () => Date.now() - began > 4_500);
    expect(pods[RW].postmaster).to.equal(postmaster);
    const held = await manager(RW).report('right', () => true);
    expect(held.right.kind).to.equal('promises');
    expect(manager(B).last?.promiseAgeMs).to.be.lessThan(2_500);
    process.kill(pods[C].agentPid, 'SIGSTOP');
    try {
      await manager(RW).report('stopped', it => it.stopped);
    } finally {
      process.kill(pods[C].agentPid, 'SIGCONT');
    }
    expect(pods[RW].postmaster).to.equal(undefined);
    for (const it of managers) it.answers = it.isLeader = true;
    site.api.mode = 'answer';
    const again = await manager(RW).client.promote({ command: command(RW), waitMs: 20_000 });
    expect(done(again).state).to.equal('done');
    await manager(RW).report('commits wait again', it => it.quorum?.isInEffect);
  });

  it('a crash is told at once, and the engine waits for word', async () => {
    const client = await connect(site, pods[RW], 'replicator', REPLICATOR_PASSWORD);
    const loop = 'DO $$ BEGIN LOOP INSERT INTO t VALUES (2); COMMIT; END LOOP; END $$';
    void client.query(`SET synchronous_commit = local; ${loop}`).catch(() => undefined);
    const told = manager(RW).report('crash', it => it.engine.state === 'crashed');
    const killedAt = Date.now();
    process.kill(pods[RW].postmaster!, 'SIGKILL');
    const report = await told;
    const at = manager(RW).reports.find(it => it.report === report)!.at;
    const noticed = /"timestamp":"([^"]+)"[^\n]*"from":"running","to":"cleaning"/g;
    const noticedAt = Date.parse([...pods[RW].output.matchAll(noticed)].at(-1)?.[1] ?? '');
    console.log(`      noticed ${noticedAt - killedAt} ms after the kill, told ${at - noticedAt} ms after that`);
    expect(report.engine).to.deep.include({ acceptsWrites: false });
    expect(report.engine.exit).to.include({ signal: 'SIGKILL', wanted: false });
    await eventually('nothing is left', () => pods[RW].members().length === 3);
    const began = Date.now();
    await eventually('it waits', () => Date.now() - began > 1_000);
    expect(pods[RW].members()).to.have.length(3);
    done(await manager(RW).client.resume({ command: command(RW), waitMs: 20_000 }));
    const back = await manager(RW).report('writes', it => it.engine.acceptsWrites);
    expect(back.right.kind).to.not.equal('none');
    await client.end().catch(() => undefined);
  });

  it('which starts by itself when nobody is there to give it', async () => {
    const before = pods[RW].postmaster;
    for (const it of managers) it.isLeader = false;
    process.kill(before!, 'SIGKILL');
    await eventually(
      'another postmaster',
      () => pods[RW].postmaster !== undefined && pods[RW].postmaster !== before,
      20_000,
    );
    await manager(RW).report('writes', it => it.engine.acceptsWrites);
    for (const it of managers) it.isLeader = true;
  });

  it('asked for their positions, followers are cut first; the RW gets no commit through any more', async () => {
    await manager(B).report('streaming', it => it.receiver?.streaming);
    await manager(C).report('streaming', it => it.receiver?.streaming);
    await sql(pods[RW], 'INSERT INTO t VALUES (3)');
    const [flushed] = await sql<{ lsn: string }>(pods[RW], 'SELECT pg_current_wal_flush_lsn()::text AS lsn');
    // As in a failover: the epoch is told to the followers; the RW does not hear of it.
    manager(RW).isLeader = false;
    manager(RW).beat();
    site.api.mode = 'refuse';
    revokeNow(site);
    const positions = await Promise.all([B, C].map(it => manager(it).client.prepare({ command: command(it) })));
    for (const it of positions) {
      expect(it).to.include({ epoch: 2, timeline: 1 });
      expect(parseLsn(it.lsn ?? '')! >= parseLsn(flushed!.lsn)!).to.equal(true);
    }
    await manager(B).report('prepared', it => it.prepared?.epoch === 2 && it.receiver?.streaming === false);
    const again = await manager(B).client.prepare({ command: command(B) });
    expect(again.lsn).to.equal(positions[0]!.lsn);
    // Nobody but the RW itself has this row: it was never acknowledged to wait for anybody.
    await sql(pods[RW], 'SET synchronous_commit = local; INSERT INTO t VALUES (666)');
    site.api.mode = 'answer';
  });

  it('the RW of before ends itself, and what it wrote alone is gone for good', async () => {
    const stuck = sql(pods[RW], 'INSERT INTO t VALUES (667)').then(
      () => 'acknowledged',
      () => 'refused',
    );
    await manager(RW).report('stopped', it => it.stopped);
    expect(await stuck).to.equal('refused');
    expect(pods[RW].postmaster).to.equal(undefined);
  });

  it('the winner is promoted with commits that wait from the first one on', async () => {
    grantTo(site, names[B], [names[C]], 1);
    const slots = [pods[RW], pods[C]].map(pod => upstreamOf(pods[B], pod).slot);
    done(await manager(B).client.promote({ command: command(B), slots, waitMs: 20_000 }));
    const made = await sql<{ name: string }>(pods[B], 'SELECT slot_name AS name FROM pg_replication_slots ORDER BY 1');
    expect(made.map(({ name }) => name)).to.deep.equal(slots.toSorted());
    const report = await manager(B).report('in effect', it => it.quorum?.isInEffect);
    expect(report.engine).to.include({ acceptsWrites: true, timeline: 2 });
    expect(report.quorum).to.deep.include({ members: [names[C]], k: 1 });
    expect(await manager(B).client.verify({ command: command(B) })).to.include({ isWritten: true });
    const insert = sql(pods[B], 'INSERT INTO t VALUES (4)');
    await manager(B).client.slots({ command: command(B), slots });
    const start = { role: 'ro', upstream: upstreamOf(pods[B], pods[C]), settings: SETTINGS } as const;
    done(await manager(C).client.start({ command: command(C), ...start, waitMs: 20_000 }));
    await manager(C).report('streaming', it => it.receiver?.streaming && it.engine.timeline === 2);
    await insert;
  });

  it('the former RW says that it cannot follow, and rejoins', async () => {
    manager(RW).isLeader = true;
    const upstream = upstreamOf(pods[B], pods[RW]);
    const start = { role: 'ro', upstream, settings: SETTINGS } as const;
    done(await manager(RW).client.start({ command: command(RW), ...start, waitMs: 20_000 }));
    await manager(RW).report('history parted', it => it.needsRejoin);
    const task = { kind: 'rejoin', upstream } as const;
    done(await manager(RW).client.install({ command: command(RW), task, waitMs: 60_000 }));
    done(await manager(RW).client.start({ command: command(RW), ...start, waitMs: 20_000 }));
    await manager(RW).report('streaming', it => it.receiver?.streaming && it.needsRejoin === false);
    const rows = 'SELECT count(*)::int AS n FROM t WHERE id >= 666';
    expect(await sql<{ n: number }>(pods[RW], rows)).to.deep.equal([{ n: 0 }]);
  });

  it('an RW that is told to end says so and serves until it is demoted', async () => {
    const told = manager(B).report('leaving', it => it.leaving);
    pods[B].signal('SIGTERM');
    const report = await told;
    expect(report.engine.acceptsWrites).to.equal(true);
    await sql(pods[B], 'INSERT INTO t VALUES (5)');
    revokeNow(site);
    done(await manager(B).client.demote({ command: command(B), waitMs: 20_000 }));
    await pods[B].ended();
    expect(pods[B].output).to.match(/database system is shut down/);
  });

  it('stay small', async () => {
    for (const pod of [pods[RW], pods[C]]) {
      const mib = (await pod.memory()) / 1024;
      const anonymous = (await pod.memory('RssAnon')) / 1024;
      console.log(`      agent RSS ${mib.toFixed(1)} MiB, ${anonymous.toFixed(1)} of it its own`);
      expect(mib).to.be.lessThan(80);
    }
  });
});
