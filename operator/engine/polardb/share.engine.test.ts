import { expect } from 'chai';
import type { EngineFacts } from '../profile.ts';
import { lose } from '../testing/fake-engine.ts';
import type { Member } from '../testing/member.ts';
import { Bench, eventually } from '../testing/member.ts';
import { POLAR_BIN_DIR, SMALL_POLAR } from '../testing/polardb.ts';

const ignore = () => undefined;
const look = (member: Member): Promise<EngineFacts> => member.profile.observe(AbortSignal.timeout(2000));
const rows = async (member: Member): Promise<number> =>
  (await member.sql<{ rows: number }>('SELECT count(*)::int AS rows FROM t'))[0]!.rows;

if (POLAR_BIN_DIR !== undefined)
  describe('PolarDB with one volume for all (real engine)', function () {
    this.timeout(60_000);
    let bench: Bench;
    let a: Member;
    let b: Member;
    let c: Member;

    before(async () => {
      bench = await Bench.open(POLAR_BIN_DIR);
      [a, b, c] = [
        await bench.member('a', 'share'),
        await bench.member('b', 'share'),
        await bench.member('c', 'share'),
      ];
    });
    after(() => bench.close());

    it('initializes a blank volume, which every member knows then', async () => {
      expect(await a.profile.look()).to.deep.equal({ state: 'blank' });
      await a.profile.initialize({ settings: SMALL_POLAR }, ignore);
      const facts = await a.profile.look();
      expect(facts).to.include({ state: 'initialized', timeline: 1 });
      expect(facts.systemId).to.match(/^\d{19}$/);
      expect(await b.profile.look()).to.deep.equal(facts);
    });

    it('starts as RW with what only a restart could switch on later, but for archiving', async () => {
      await a.startRw(SMALL_POLAR);
      const [settings] = await a.sql(`SELECT current_setting('data_checksums') AS checksums,
        current_setting('archive_mode') AS archive, current_setting('ssl') AS ssl,
        current_setting('polar_enable_shared_storage_mode') AS shared, current_setting('log_destination') AS log,
        current_setting('shared_preload_libraries') AS preload, current_setting('polar_hostid') AS host,
        pg_has_role('polardb_stack_monitor', 'pg_monitor', 'member') AS monitor`);
      expect(settings).to.deep.equal({
        checksums: 'on',
        archive: 'off',
        ssl: 'on',
        shared: 'on',
        log: 'stderr',
        preload: 'polar_vfs,polar_worker,pg_stat_statements',
        host: '1',
        monitor: true,
      });
      expect(await look(a)).to.deep.include({ role: 'rw', acceptsWrites: true, timeline: 1, pendingRestart: [] });
      await a.sql('CREATE TABLE t AS SELECT generate_series(1, 1000) AS id');
    });

    it('archives from the volume', async () => {
      await a.sql('SELECT pg_switch_wal()');
      await eventually('a segment is archived', async () => {
        const [row] = await a.sql<{ done: boolean }>('SELECT archived_count > 0 AS done FROM pg_stat_archiver');
        return row?.done === true;
      });
    });

    it('members join without a copy, stream and read', async () => {
      const upstream = await a.upstreamFor(b);
      await b.profile.join(upstream, ignore);
      await b.startFollower(upstream, SMALL_POLAR);
      await c.startFollower(await a.upstreamFor(c), SMALL_POLAR);
      await eventually('the rows are read', async () => (await rows(b)) === 1000);
      expect(await look(b)).to.deep.include({ role: 'ro', acceptsWrites: false, streaming: true, timeline: 1 });
    });

    it('refuses wrong settings all at once, and nothing is changed', async () => {
      const wanted = { ...SMALL_POLAR, bogus: '1', max_connections: '-4', polar_xlog_page_buffers: 'x' };
      const error = await a.profile.configure(wanted).catch((thrown: unknown) => thrown);
      const names = (error as { problems: { name: string }[] }).problems.map(({ name }) => name);
      expect(names.sort()).to.deep.equal(['bogus', 'max_connections', 'polar_xlog_page_buffers']);
      expect(await a.profile.configure({ ...SMALL_POLAR, max_connections: '25' })).to.deep.equal({
        changed: ['max_connections'],
        needRestart: ['max_connections'],
      });
      await a.profile.configure(SMALL_POLAR);
    });

    it('recovers what was committed before every process was killed, and members stream again', async () => {
      await a.sql('INSERT INTO t SELECT generate_series(1001, 2000)');
      await a.kill();
      await a.startRw(SMALL_POLAR);
      expect(await rows(a)).to.equal(2000);
      await b.streams();
      await c.streams();
    });

    it('hands over: fast stop, promote, the others follow, the former RW becomes a member', async () => {
      await a.stop();
      await a.profile.demote();
      await b.promote(2);
      await b.promote(2);
      expect(await look(b)).to.deep.include({ role: 'rw', acceptsWrites: true, timeline: 1 });
      await b.sql('INSERT INTO t VALUES (2001)');
      await c.profile.follow(await b.upstreamFor(c));
      await c.streams();
      await a.startFollower(await b.upstreamFor(a), SMALL_POLAR);
      for (const member of [a, c]) await eventually('the row is read', async () => (await rows(member)) === 2001);
      expect(await b.sql('SELECT slot_name FROM pg_replication_slots ORDER BY 1')).to.deep.equal([
        { slot_name: 'polardb_stack_a' },
        { slot_name: 'polardb_stack_c' },
      ]);
    });

    it('an RW that lost its own directory boots as a member, is promoted, and has all rows', async () => {
      await b.kill();
      await lose(b.options.dataDir, b.options.user);
      expect((await b.profile.look()).state).to.equal('initialized');
      await b.startRw(SMALL_POLAR);
      expect(await rows(b)).to.equal(2001);
      await b.sql('INSERT INTO t VALUES (2002)');
      await b.kill();
      await b.startRw(SMALL_POLAR);
      expect(await rows(b)).to.equal(2002);
      await a.streams();
      await c.streams();
    });

    it('takes over from an RW whose every process was killed, with more changed pages than it has buffers', async () => {
      await b.sql("CREATE TABLE large AS SELECT repeat('x', 900) FROM generate_series(1, 32000)");
      await b.sql('INSERT INTO t VALUES (2003)');
      await b.kill();
      await a.promote(3);
      expect(await rows(a)).to.equal(2003);
      expect(await a.sql('SELECT count(*)::int AS rows FROM large')).to.deep.equal([{ rows: 32_000 }]);
      await b.profile.demote();
      await b.startFollower(await a.upstreamFor(b), SMALL_POLAR);
      await eventually('the row is read', async () => (await rows(b)) === 2003);
    });
  });
