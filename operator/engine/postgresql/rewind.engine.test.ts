import { expect } from 'chai';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { caughtUp, fill, ignore, limit, openGroup } from '../testing/group.ts';
import { eventually, SMALL, type Bench, type Member } from '../testing/member.ts';

/** Checkpoints are those of the test, and take two seconds where nobody hurries them. */
const SETTINGS = {
  ...SMALL,
  max_wal_size: '1GB',
  checkpoint_timeout: '10min',
  checkpoint_completion_target: '0.003',
};

describe('PostgreSQL is rewound over files of the log that the RW has no more (real engine)', function () {
  this.timeout(30_000);
  let bench: Bench;
  let a: Member;
  let b: Member;

  before(async () => {
    ({
      bench,
      members: { a, b },
    } = await openGroup(['a', 'b'], { rw: SETTINGS }));
  });
  after(() => bench.close());

  /** Files of the log that somebody wrote on this timeline. */
  const files = async (member: Member, timeline: string): Promise<string[]> =>
    (await readdir(join(member.pgdata, 'pg_wal')))
      .filter(name => name.startsWith(timeline) && name.length === 24)
      .sort();
  const nextFile = async (member: Member): Promise<void> => {
    await member.sql("INSERT INTO t VALUES ('filler')");
    await member.sql('SELECT pg_switch_wal()');
  };

  /** A checkpoint whose record stands in a later file than what recovery from it begins with. @returns that one's name */
  const longCheckpoint = async (): Promise<string> => {
    await a.sql('INSERT INTO t SELECT repeat($1, 1000) FROM generate_series(1, 1000)', ['filler']);
    const seen = a.log.length;
    const checkpoint = a.sql("SELECT pg_backup_start('as for a base backup')");
    await eventually('it has begun', () => Promise.resolve(a.log.includes('checkpoint starting', seen)));
    await nextFile(a);
    await checkpoint;
    const [found] = await a.sql<{ begin: string; record: string }>(
      'SELECT redo_wal_file AS begin, pg_walfile_name(checkpoint_lsn) AS record FROM pg_control_checkpoint()',
    );
    expect(found!.record > found!.begin).to.be.true;
    return found!.begin;
  };

  it('and begins its recovery in its own', async () => {
    const begin = await longCheckpoint();
    for (let i = 0; i < 3; i++) await nextFile(a);
    await caughtUp(b, a);
    await b.profile.cut(limit());
    await a.sql("INSERT INTO t VALUES ('a')");
    await nextFile(a);
    await a.kill();
    await b.promote(2);
    await b.sql("INSERT INTO t VALUES ('b')");
    await b.sql('CHECKPOINT');
    expect(await files(a, '00000001')).to.include(begin);
    expect(await files(b, '00000001')).to.not.include(begin);

    const upstream = await b.upstreamFor(a);
    const rejoined = await a.profile.rejoin({ upstream, mayRewind: true, signal: limit() }, ignore);
    expect(rejoined).to.deep.equal({ how: 'rewound' });
    await a.startFollower(upstream, SETTINGS);
    await caughtUp(a, b);
    const rows = await a.sql<{ by: string }>("SELECT by FROM t WHERE by NOT LIKE 'filler%'");
    expect(rows).to.deep.equal([{ by: 'b' }]);
    expect(await readdir(a.options.dataDir)).to.not.include('pgdata.log');
  });

  it('and says that it is astray when its RW ends before the next one has what it was rewound to', async () => {
    const c = await bench.member('c');
    await fill(c, b, SETTINGS);
    for (const follower of [a, c]) await follower.profile.cut(limit());
    await b.sql("INSERT INTO t VALUES ('b alone')");
    await b.kill();

    await a.promote(3);
    await c.profile.follow(await a.upstreamFor(c));
    await c.streams();
    await c.profile.cut(limit());
    await a.sql("INSERT INTO t VALUES ('a alone')");
    await a.sql('CHECKPOINT');
    const rejoined = await b.profile.rejoin(
      { upstream: await a.upstreamFor(b), mayRewind: true, signal: limit() },
      ignore,
    );
    expect(rejoined).to.deep.equal({ how: 'rewound' });
    await a.kill();

    await c.promote(4);
    await c.sql("INSERT INTO t VALUES ('c')");
    const seen = b.log.length;
    await b.start({ role: 'ro', upstream: await c.upstreamFor(b), settings: SETTINGS });
    const refusal = /new timeline 4 forked off current database system timeline 3 before current recovery point/;
    await eventually('it says so', () => Promise.resolve(refusal.test(b.log.slice(seen))));
  });
});
