import { expect } from 'chai';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rejoined, Upstream } from '../profile.ts';
import { reserveTimelines } from '../timelines.ts';
import { caughtUp, fill, ignore, limit, openGroup } from '../testing/group.ts';
import { eventually, SMALL, type Bench, type Member } from '../testing/member.ts';

/** Rows of `t` tell in whose reign they were written. */
describe('PostgreSQL opens timelines with the number of the epoch (real engine)', function () {
  this.timeout(30_000);
  let bench: Bench;
  let a: Member;
  let b: Member;
  let c: Member;

  before(async () => {
    ({
      bench,
      members: { a, b, c },
    } = await openGroup(['c', 'a', 'b']));
  });
  after(() => bench.close());

  const rejoin = (member: Member, upstream: Upstream): Promise<Rejoined> =>
    member.profile.rejoin({ upstream, mayRewind: true, signal: limit() }, ignore);
  const timeline = async (member: Member): Promise<number | undefined> =>
    (await member.profile.observe(limit())).timeline;
  const writers = async (member: Member): Promise<string[]> =>
    (await member.sql<{ by: string }>('SELECT by FROM t ORDER BY 1')).map(it => it.by);
  const histories = async (member: Member): Promise<string[]> => {
    const names = (await readdir(join(member.pgdata, 'pg_wal'))).filter(it => it.endsWith('.history')).sort();
    return Promise.all(
      names.map(async name => {
        const { size, mode, uid } = await stat(join(member.pgdata, 'pg_wal', name));
        expect({ mode: mode & 0o777, uid }).to.deep.equal({ mode: 0o600, uid: member.options.user?.uid ?? uid });
        return size > 0 ? name.slice(7, 8) : `[${name.slice(7, 8)}]`;
      }),
    );
  };

  it('two promotions of which neither knows the other open two timelines', async () => {
    await c.kill();
    await a.promote(2);
    await a.sql("INSERT INTO t SELECT 'a' FROM generate_series(1, 1000)");
    await a.kill();
    await b.promote(3);
    expect(await timeline(b)).to.equal(3);
    expect(await histories(b)).to.deep.equal(['[2]', '3']);
    await b.sql("INSERT INTO t VALUES ('b')");
  });

  it('so the RW of before is rewound, killed as it was, and what it wrote alone is gone', async () => {
    const upstream = await b.upstreamFor(a);
    expect(await rejoin(a, upstream)).to.deep.equal({ how: 'rewound' });
    await a.startFollower(upstream);
    await caughtUp(a, b);
    expect(await writers(a)).to.deep.equal(['b']);
    expect(await timeline(a)).to.equal(3);
  });

  it('a member of a timeline long before fetches all numbers in between', async () => {
    const upstream = await b.upstreamFor(c);
    expect(await rejoin(c, upstream)).to.deep.equal({ how: 'rewound' });
    await c.startFollower(upstream);
    expect(await histories(c)).to.deep.equal(['[2]', '3']);
  });

  it('a follower starts with the numbers of a promotion that did not come about', async () => {
    await reserveTimelines(join(a.pgdata, 'pg_wal'), 7, a.options.user);
    expect(await histories(a)).to.deep.equal(['[2]', '3', '[4]', '[5]', '[6]']);
    await a.kill();
    await a.startFollower(await b.upstreamFor(a));
    expect(await histories(a)).to.deep.equal(['[2]', '3']);
  });

  it('followers stream on over numbers without a timeline, and start again behind them', async () => {
    await b.stop();
    await b.profile.demote();
    await a.promote(8);
    expect(await timeline(a)).to.equal(8);
    await a.sql("INSERT INTO t VALUES ('a again')");
    await c.profile.follow(await a.upstreamFor(c));
    await b.startFollower(await a.upstreamFor(b));
    await c.streams();
    await c.kill();
    await c.startFollower(await a.upstreamFor(c));
    for (const member of [b, c]) {
      await caughtUp(member, a);
      expect(await writers(member)).to.deep.equal(['a again', 'b']);
      expect(await timeline(member)).to.equal(8);
    }
  });

  it('a base backup of such an RW streams, and is promoted to its epoch too', async () => {
    const d = await bench.member('d');
    await fill(d, a);
    expect(await histories(d)).to.deep.equal(['8']);
    await a.kill();
    await d.promote(10);
    expect(await timeline(d)).to.equal(10);
    await c.profile.follow(await d.upstreamFor(c));
    await c.streams();
    expect(await timeline(c)).to.equal(10);
  });

  it('one that is granted while it does not run is promoted as soon as it answers', async () => {
    await b.kill();
    await b.startRw(SMALL, 12);
    expect(await timeline(b)).to.equal(12);
    await b.kill();
    await b.startRw(SMALL, 13);
    expect(await timeline(b)).to.equal(12);
  });

  it('an RW of before that is started as a follower is refused', async () => {
    const d = bench.members.find(it => it.name === 'd')!;
    await d.sql("INSERT INTO t VALUES ('d')");
    await d.kill();
    const upstream = await b.upstreamFor(d);
    await d.start({ role: 'ro', upstream, settings: SMALL });
    const refusal = /is not (in|a child of) this server's history/;
    await eventually('it says so', () => Promise.resolve(refusal.test(d.log)));
    await d.stop();
    await rejoin(d, upstream);
    await d.startFollower(upstream);
    expect(await writers(d)).to.deep.equal(await writers(b));
  });
});
