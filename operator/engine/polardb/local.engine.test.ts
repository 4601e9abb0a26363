import { expect } from 'chai';
import { rm } from 'node:fs/promises';
import type { EngineFacts, QuorumSetting } from '../profile.ts';
import { withSession } from '../sql.ts';
import type { Member } from '../testing/member.ts';
import { Bench, eventually } from '../testing/member.ts';
import { POLAR_BIN_DIR, SMALL_POLAR } from '../testing/polardb.ts';

const ignore = () => undefined;
const limit = () => AbortSignal.timeout(10_000);
const look = (member: Member): Promise<EngineFacts> => member.profile.observe(AbortSignal.timeout(2000));
const rows = async (member: Member): Promise<number> =>
  (await member.sql<{ rows: number }>('SELECT count(*)::int AS rows FROM t'))[0]!.rows;

if (POLAR_BIN_DIR !== undefined)
  describe('PolarDB with a volume each (real engine)', function () {
    this.timeout(60_000);
    let bench: Bench;
    let a: Member;
    let b: Member;
    let c: Member;

    before(async () => {
      bench = await Bench.open(POLAR_BIN_DIR);
      [a, b, c] = [await bench.member('a'), await bench.member('b'), await bench.member('c')];
    });
    after(() => bench.close());

    it('initializes and starts as RW', async () => {
      await a.profile.initialize({ settings: SMALL_POLAR }, ignore);
      expect(await a.profile.look()).to.include({ state: 'initialized', timeline: 1 });
      expect(await b.profile.look()).to.deep.equal({ state: 'blank' });
      await a.startRw(SMALL_POLAR);
      expect(await look(a)).to.deep.include({ role: 'rw', acceptsWrites: true, timeline: 1 });
      await a.sql('CREATE TABLE t AS SELECT generate_series(1, 1000) AS id');
    });

    it('joins by a base backup into both directories, with progress, streams and reads', async () => {
      const phases: string[] = [];
      await b.profile.join(await a.upstreamFor(b), ({ phase }) => phases.push(phase));
      expect([...new Set(phases)]).to.deep.equal(['Connecting', 'WaitingForCheckpoint', 'Copying', 'Syncing']);
      expect((await b.profile.look()).systemId).to.equal((await a.profile.look()).systemId);
      await b.startFollower(await a.upstreamFor(b), SMALL_POLAR);
      expect(await rows(b)).to.equal(1000);
      expect(await look(b)).to.deep.include({ role: 'ro', acceptsWrites: false, streaming: true, timeline: 1 });
      await c.profile.join(await a.upstreamFor(c), ignore);
      await c.startFollower(await a.upstreamFor(c), SMALL_POLAR);
    });

    it('commits wait for members from the moment that the setting is proven in force', async () => {
      const commits = (ms: number): Promise<boolean> =>
        withSession(a.profile.sql, session => session.query('INSERT INTO t VALUES (0)'), {
          signal: AbortSignal.timeout(ms),
        }).then(
          () => true,
          () => false,
        );
      const nobody: QuorumSetting = { members: [], k: 0 };
      const both: QuorumSetting = { members: ['b/uid/1', 'c/uid/1'], k: 1 };
      const absent: QuorumSetting = { members: ['nobody that is here'], k: 1 };
      expect(await a.profile.setQuorum({ setting: both, former: nobody })).to.match(/^[0-9A-F]+\/[0-9A-F]+$/);
      expect(await commits(5_000)).to.equal(true);
      await a.profile.setQuorum({ setting: absent, former: both });
      expect(await commits(300)).to.equal(false);
      await a.profile.setQuorum({ setting: nobody, former: absent });
      expect(await commits(5_000)).to.equal(true);
    });

    it('recovers what was committed before every process was killed, and the follower streams again', async () => {
      const before = await rows(a);
      await a.sql('INSERT INTO t SELECT generate_series(1001, 2000)');
      await a.kill();
      await a.startRw(SMALL_POLAR);
      expect(await rows(a)).to.equal(before + 1000);
      await b.streams();
      await b.kill();
      await b.startFollower(await a.upstreamFor(b), SMALL_POLAR);
    });

    it('a follower that is cut tells the end of its log and receives no more', async () => {
      await rm(`${b.options.runDir}/passfile`);
      const [before] = await a.sql<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
      const end = await b.profile.cut(limit());
      const [order] = await a.sql<{ behind: boolean }>('SELECT $1::pg_lsn < $2::pg_lsn AS behind', [
        end.lsn,
        before!.lsn,
      ]);
      expect({ ...order, timeline: end.timeline }).to.deep.equal({ behind: false, timeline: 1 });
      await a.sql('INSERT INTO t VALUES (0)');
      expect(await b.profile.cut(limit())).to.deep.equal(end);
      await b.profile.follow(await a.upstreamFor(b));
      await b.streams();
    });

    it('hands over: fast stop, promote, the former RW follows on the new timeline', async () => {
      await a.stop();
      await a.profile.demote();
      await b.promote(2);
      expect(await look(b)).to.deep.include({ role: 'rw', acceptsWrites: true, timeline: 2 });
      await b.sql('INSERT INTO t VALUES (0)');
      const all = await rows(b);
      await a.startFollower(await b.upstreamFor(a), SMALL_POLAR);
      await c.profile.follow(await b.upstreamFor(c));
      for (const member of [a, c]) {
        await member.streams();
        await eventually('the row is read', async () => (await rows(member)) === all);
        expect(await look(member)).to.deep.include({ role: 'ro', streaming: true, timeline: 2 });
      }
      expect(await a.sql('SELECT slot_name FROM pg_replication_slots')).to.deep.equal([]);
    });

    it('a former RW whose history parted is copied anew', async () => {
      await a.profile.cut(limit());
      await a.promote(4);
      await b.sql('INSERT INTO t SELECT generate_series(1, 1000)');
      await b.kill();
      const upstream = await a.upstreamFor(b);
      const outcome = await b.profile.rejoin({ upstream, mayRewind: true, signal: limit() }, ignore);
      expect(outcome.how).to.equal('copied');
      await b.startFollower(upstream, SMALL_POLAR);
      expect(await rows(b)).to.equal(await rows(a));
      expect(await look(b)).to.deep.include({ timeline: 4 });
    });
  });
