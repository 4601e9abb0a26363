import { expect } from 'chai';
import { rm } from 'node:fs/promises';
import type { QuorumSetting } from '../profile.ts';
import { processesIn } from '../processes.ts';
import { withSession } from '../sql.ts';
import type { Member } from '../testing/member.ts';
import { Bench, eventually, SMALL } from '../testing/member.ts';

const ignore = () => undefined;
const limit = () => AbortSignal.timeout(10_000);
const nameOf = (member: Member): string => `${member.name}/uid/1`;

describe('PostgreSQL with synchronous followers (real engine)', function () {
  this.timeout(30_000);
  let bench: Bench;
  let a: Member;
  let b: Member;
  let c: Member;
  let inForce: QuorumSetting = { members: [], k: 0 };

  before(async () => {
    bench = await Bench.open();
    a = await bench.member('a');
    b = await bench.member('b');
    c = await bench.member('c');
    await a.profile.initialize({ settings: SMALL }, ignore);
    await a.startRw();
    await a.sql('CREATE TABLE t (id int)');
    for (const follower of [b, c]) {
      const upstream = await a.upstreamFor(follower);
      await follower.profile.join(upstream, ignore);
      await follower.startFollower(upstream);
    }
    await a.sql('ALTER ROLE replicator SUPERUSER');
  });
  after(() => bench.close());

  const change = async (setting: QuorumSetting): Promise<string | undefined> => {
    const since = await a.profile.setQuorum({ setting, former: inForce });
    inForce = setting;
    return since;
  };
  /** Does a commit wait? It is given up after `ms`. */
  const commits = (ms: number): Promise<boolean> =>
    withSession(a.profile.sql, session => session.query('INSERT INTO t VALUES (1)'), {
      signal: AbortSignal.timeout(ms),
    }).then(
      () => true,
      () => false,
    );

  it('tells who streams from where, through one session', async () => {
    const [rw, follower] = [a.profile.watch(500), b.profile.watch(500)];
    const senders = (await rw.look()).senders ?? [];
    expect(senders.map(it => [it.name, it.state]).sort()).to.deep.equal([
      [nameOf(b), 'streaming'],
      [nameOf(c), 'streaming'],
    ]);
    expect(await follower.look()).to.include({
      role: 'ro',
      streaming: true,
      upstreamAddress: '127.0.0.1',
      timeline: 1,
    });
    const sessions = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'polardb-stack'`;
    for (let i = 0; i < 5; i++) await rw.look();
    // The watch's and the one that asks.
    expect(await a.sql(sessions)).to.deep.equal([{ n: 2 }]);
    rw.close();
    follower.close();
  });

  it('commits wait for members from the moment that the setting is proven in force', async () => {
    expect(await change({ members: [nameOf(b), nameOf(c)], k: 1 })).to.match(/^[0-9A-F]+\/[0-9A-F]+$/);
    expect(await commits(5_000)).to.equal(true);
    expect(await change({ members: ['nobody that is here'], k: 1 })).to.be.a('string');
    expect(await commits(300)).to.equal(false);
  });

  it('a smaller setting frees those who wait', async () => {
    const waiting = commits(20_000);
    await eventually('a commit waits', async () => {
      const [row] = await a.sql<{ n: number }>(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
      );
      return (row?.n ?? 0) >= 1;
    });
    await change({ members: [nameOf(b)], k: 1 });
    expect(await waiting).to.equal(true);
    await change({ members: [], k: 0 });
    expect(await commits(5_000)).to.equal(true);
  });

  it('a member whose engine hangs counts no more once it is removed', async () => {
    await change({ members: [nameOf(b), nameOf(c)], k: 1 });
    for (const pid of await processesIn(c.pgdata)) process.kill(pid, 'SIGSTOP');
    try {
      await change({ members: [nameOf(b)], k: 1 });
      expect(await commits(5_000)).to.equal(true);
    } finally {
      for (const pid of await processesIn(c.pgdata)) process.kill(pid, 'SIGCONT');
    }
    await c.streams();
  });

  it('a follower that is cut tells the end of its log and receives no more', async () => {
    const flushed = `SELECT pg_current_wal_flush_lsn()::text AS lsn`;
    await rm(`${b.options.runDir}/passfile`);
    const [before] = await a.sql<{ lsn: string }>(flushed);
    const end = await b.profile.cut(limit());
    expect(end.timeline).to.equal(1);
    const [order] = await a.sql<{ behind: boolean }>(`SELECT $1::pg_lsn < $2::pg_lsn AS behind`, [
      end.lsn,
      before!.lsn,
    ]);
    expect(order?.behind).to.equal(false);
    expect(await commits(300)).to.equal(false);
    expect(await b.profile.cut(limit())).to.deep.equal(end);
    await change({ members: [], k: 0 });
  });

  it('one that never streamed since its start tells the same, of the log that it holds', async () => {
    const [held] = await b.sql<{ lsn: string }>('SELECT pg_last_wal_receive_lsn()::text AS lsn');
    await b.stop();
    await b.start({ role: 'ro', settings: SMALL });
    await eventually('it answers', () =>
      b.profile.observe(AbortSignal.timeout(2000)).then(
        () => true,
        () => false,
      ),
    );
    const end = await b.profile.cut(limit());
    expect(end.timeline).to.equal(1);
    const [order] = await b.sql<{ behind: boolean }>(`SELECT $1::pg_lsn < $2::pg_lsn AS behind`, [end.lsn, held!.lsn]);
    // A record that was cut in the middle ends the log that can be read.
    expect(order?.behind).to.equal(false);
    await b.profile.follow(await a.upstreamFor(b));
    await b.streams();
  });

  it('a former RW whose history parted is rewound, killed as it was', async () => {
    await a.sql('INSERT INTO t SELECT generate_series(1, 100)');
    await eventually('c has it', async () => (await rows(c)) === (await rows(a)));
    await c.profile.cut(limit());
    await c.promote(2);
    await a.sql('INSERT INTO t SELECT generate_series(1, 1000)');
    await a.kill();
    await c.sql('CHECKPOINT');
    await c.sql('INSERT INTO t VALUES (7)');
    const upstream = await c.upstreamFor(a);
    const request = { upstream, mayRewind: true, signal: limit() };
    const phases: string[] = [];
    expect(await a.profile.rejoin(request, it => phases.push(it.phase))).to.deep.equal({ how: 'rewound' });
    expect(phases).to.deep.equal(['Rewinding']);
    await a.startFollower(upstream);
    await eventually('a has what c has', async () => (await rows(a)) === (await rows(c)));
    expect((await a.profile.observe(limit())).timeline).to.equal(2);
  });

  it('one that cannot be rewound is copied', async () => {
    await b.kill();
    const upstream = await c.upstreamFor(b);
    await rm(`${b.pgdata}/pg_wal`, { recursive: true });
    const outcome = await b.profile.rejoin({ upstream, mayRewind: true, signal: limit() }, ignore);
    expect(outcome.how).to.equal('copied');
    expect(outcome.message).to.match(/pg_rewind/);
    await b.startFollower(upstream);
    expect(await rows(b)).to.equal(await rows(c));
  });

  const rows = async (member: Member): Promise<number> => {
    const [row] = await member.sql<{ n: number }>('SELECT count(*)::int AS n FROM t');
    return row?.n ?? -1;
  };
});
