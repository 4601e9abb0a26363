import { expect } from 'chai';
import type { Rejoined, Upstream } from '../profile.ts';
import { caughtUp, ignore, limit, openGroup } from '../testing/group.ts';
import type { Bench, Member } from '../testing/member.ts';

describe('a rewind of PostgreSQL that has nothing to do, or cannot begin (real engine)', function () {
  this.timeout(30_000);
  let bench: Bench;
  let a: Member;
  let b: Member;
  let c: Member;

  before(async () => {
    ({
      bench,
      members: { a, b, c },
    } = await openGroup(['a', 'b', 'c']));
    await c.kill();
    await a.sql("INSERT INTO t SELECT 'a' FROM generate_series(1, 1000)");
    await caughtUp(b, a);
    await a.stop();
    await b.profile.cut(limit());
    await b.promote(2);
    await b.sql("INSERT INTO t VALUES ('b')");
    await b.sql('CHECKPOINT');
  });
  after(() => bench.close());

  const rejoin = (member: Member, upstream: Upstream, signal = limit()): Promise<Rejoined> =>
    member.profile.rejoin({ upstream, mayRewind: true, signal }, ignore);
  const failure = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    );
  const state = async (member: Member): Promise<string> => (await member.profile.look()).state;
  const rows = async (member: Member): Promise<number> => {
    const [row] = await member.sql<{ n: number }>('SELECT count(*)::int AS n FROM t');
    return row!.n;
  };

  it('an RW that is not reached costs the data nothing, nor that of a follower that was killed', async () => {
    for (const member of [a, c]) {
      const upstream = { ...(await b.upstreamFor(member)), port: 1 };
      expect(String(await failure(rejoin(member, upstream)))).to.match(/Connection refused/);
      expect(await state(member)).to.equal('initialized');
    }
  });

  it('nor does somebody who comes in between before it writes', async () => {
    const stop = AbortSignal.abort(new Error('told to stop'));
    expect(await failure(rejoin(a, await b.upstreamFor(a), stop))).to.include({ message: 'told to stop' });
    expect(await state(a)).to.equal('initialized');
  });

  it('an RW of before that stopped in order follows as it is, and names the former timeline until it has the new one', async () => {
    const upstream = await b.upstreamFor(a);
    expect(await rejoin(a, upstream)).to.deep.equal({ how: 'rewound' });
    expect(await a.profile.look()).to.include({ timeline: 1 });
    await a.startFollower(upstream);
    await caughtUp(a, b);
    expect(await rows(a)).to.equal(1001);
  });

  it('a killed follower that was behind the fork is copied: pg_rewind has it recovered as an RW, and does not see that', async () => {
    const upstream = await b.upstreamFor(c);
    const rejoined = await rejoin(c, upstream);
    expect(rejoined.how).to.equal('copied');
    expect(rejoined.message).to.match(/recovered a follower that was killed/);
    await c.startFollower(upstream);
    await caughtUp(c, b);
    expect(await rows(c)).to.equal(1001);
  });
});
