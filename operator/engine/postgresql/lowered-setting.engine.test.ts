import { expect } from 'chai';
import { limit, openGroup } from '../testing/group.ts';
import { SMALL, type Bench, type Member } from '../testing/member.ts';

const LOWERED = { ...SMALL, max_connections: '12', max_locks_per_transaction: '32' };

describe('a follower that restarts before its RW with lowered settings (PostgreSQL, real engine)', function () {
  this.timeout(60_000);
  let bench: Bench;
  let a: Member;
  let b: Member;

  before(async () => {
    ({
      bench,
      members: { a, b },
    } = await openGroup(['a', 'b']));
  });
  after(() => bench.close());

  const inForce = async (member: Member): Promise<unknown> => {
    const [row] = await member.sql<{ connections: string; locks: string }>(
      `SELECT current_setting('max_connections') AS connections, current_setting('max_locks_per_transaction') AS locks`,
    );
    return [row?.connections, row?.locks];
  };
  const pending = async (member: Member): Promise<readonly string[]> =>
    (await member.profile.observe(limit())).pendingRestart;
  const waiting = ['max_connections', 'max_locks_per_transaction'];

  it('comes up with what the RW runs with, streams, and tells what waits', async () => {
    const upstream = await a.upstreamFor(b);
    await b.stop();
    await b.startFollower(upstream, LOWERED);
    expect(await inForce(b)).to.deep.equal(['20', '64']);
    expect(await pending(b)).to.deep.equal(waiting);
    expect(await b.profile.configure({ ...LOWERED, work_mem: '5MB' })).to.deep.equal({
      changed: ['work_mem'],
      needRestart: waiting,
    });
    expect(await pending(b)).to.deep.equal(waiting);
    await b.profile.configure({ ...SMALL, max_locks_per_transaction: '64' });
    expect(await pending(b)).to.deep.equal([]);
  });

  it('takes them with the restart after that of the RW', async () => {
    await a.stop();
    await a.startRw(LOWERED);
    await b.streams();
    const upstream = await a.upstreamFor(b);
    await b.stop();
    await b.startFollower(upstream, LOWERED);
    expect(await inForce(b)).to.deep.equal(['12', '32']);
    expect(await pending(b)).to.deep.equal([]);
  });
});
