import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { access, chown, mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { caughtUp, ignore, limit, openGroup } from '../testing/group.ts';
import { eventually, SMALL, type Bench, type Member } from '../testing/member.ts';
import { segmentAt } from './kept-log.ts';

const execute = promisify(execFile);
/** The points where a promotion is stopped are beside what it notes for the archive. */
const ARCHIVING = { ...SMALL, archive_mode: 'on' };
const SEGMENT_BYTES = 16 << 20;

/** What is left when an engine is killed at a point of its promotion, and goes on under the same grant. */
describe('a promotion of PostgreSQL that is killed and begun anew (real engine)', function () {
  this.timeout(30_000);
  let bench: Bench;
  let a: Member;
  let b: Member;
  let c: Member;

  before(async () => {
    ({
      bench,
      members: { a, b, c },
    } = await openGroup(['c', 'a', 'b'], { followers: ARCHIVING }));
  });
  after(() => bench.close());

  const facts = (member: Member) => member.profile.observe(limit());
  const wal = (member: Member, name = '') => join(member.pgdata, 'pg_wal', name);
  const exists = (path: string): Promise<boolean> =>
    access(path).then(
      () => true,
      () => false,
    );
  const writers = async (member: Member): Promise<string[]> =>
    (await member.sql<{ by: string }>('SELECT by FROM t ORDER BY 1')).map(it => it.by);
  const rejoin = async (member: Member, rw: Member): Promise<void> => {
    const upstream = await rw.upstreamFor(member);
    await member.profile.rejoin({ upstream, mayRewind: true, signal: limit() }, ignore);
    await member.startFollower(upstream, ARCHIVING);
    await caughtUp(member, rw);
  };
  /** Real ones. */
  const histories = async (member: Member): Promise<string[]> => {
    const found: string[] = [];
    for (const name of (await readdir(wal(member))).sort())
      if (name.endsWith('.history') && (await stat(wal(member, name))).size > 0) found.push(name.slice(7, 8));
    return found;
  };

  /** Kills all of the engine once its promotion has come as far as it gets. */
  async function interrupt(member: Member, epoch: number, isThere: () => Promise<boolean>): Promise<void> {
    const abort = new AbortController();
    const promotion = member.profile.promote(epoch, abort.signal).catch(ignore);
    await eventually('the promotion has come so far', isThere);
    await member.kill();
    abort.abort();
    await promotion;
  }

  /** The segment in which the log of a follower ends. Only while it streams the view tells its timeline. */
  async function lastSegment(member: Member): Promise<string> {
    const { timeline, lsn } = await facts(member);
    const [high, low] = lsn!.split('/').map(it => BigInt(`0x${it}`));
    return segmentAt({ timeline: timeline!, at: (high! << 32n) | low! }, SEGMENT_BYTES);
  }

  /** The other one is granted the next epoch without having heard of this one; then the former RW comes back. */
  async function partsFrom(former: Member, next: Member, epoch: number): Promise<void> {
    const before = await writers(former);
    await former.sql("INSERT INTO t SELECT 'alone' FROM generate_series(1, 1000)");
    await former.kill();
    await next.promote(epoch);
    expect((await facts(next)).timeline).to.equal(epoch);
    await next.sql('INSERT INTO t VALUES ($1)', [`epoch ${epoch}`]);
    await rejoin(former, next);
    expect(await writers(former)).to.deep.equal([...before, `epoch ${epoch}`]);
  }

  it('after its history file: it opens the same timeline', async () => {
    await c.kill();
    // The startup process stands still where it would note for the archive that the file is there.
    const fifo = wal(a, 'archive_status/00000003.history.ready');
    await execute('mkfifo', ['-m', '600', fifo]);
    const { user } = a.options;
    if (user) await chown(fifo, user.uid, user.gid);
    await interrupt(a, 3, () => exists(wal(a, '00000003.history')));
    await rm(fifo);
    expect(await histories(a)).to.deep.equal(['3']);

    await a.startRw(SMALL, 3);
    expect((await facts(a)).timeline).to.equal(3);
    await partsFrom(a, b, 4);
  });

  it('the first RW follows, too', () => rejoin(c, b));

  it('after the end of its recovery was written: it goes on with that timeline', async () => {
    // The startup process fails where it gives its own name to the segment in which the former timeline ends.
    const obstacle = wal(a, `${await lastSegment(a)}.partial`);
    await b.kill();
    await mkdir(obstacle);
    await interrupt(a, 6, () => Promise.resolve(a.log.includes(`could not open file "pg_wal/${basename(obstacle)}"`)));
    await rmdir(obstacle);

    await a.startRw(SMALL, 6);
    expect((await facts(a)).timeline).to.equal(6);
    await partsFrom(a, c, 7);
  });
});
