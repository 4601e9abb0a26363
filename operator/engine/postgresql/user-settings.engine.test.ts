import { expect } from 'chai';
import { openSession } from '../sql.ts';
import { caughtUp, openGroup } from '../testing/group.ts';
import { eventually, SMALL, type Bench, type Member } from '../testing/member.ts';

describe('settings of users, and what the agent needs of PostgreSQL (real engine)', function () {
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

  for (const [name, value] of [
    ['default_transaction_isolation', 'serializable'],
    ['default_transaction_read_only', 'on'],
    ['idle_session_timeout', '100ms'],
    ['search_path', 'nowhere'],
  ] as const) {
    it(`do not shut the agent out: ${name}`, async () => {
      for (const member of [a, b]) {
        await member.profile.configure({ ...SMALL, [name]: value });
        const watch = member.profile.watch(1_000);
        await watch.look();
        // As long as reports are apart.
        const began = Date.now();
        await eventually('the next report', () => Promise.resolve(Date.now() - began > 500));
        expect(await watch.look()).to.include({ role: member === a ? 'rw' : 'ro', acceptsWrites: member === a });
        watch.close();
      }
      await b.streams();
      for (const member of [a, b]) await member.profile.configure(SMALL);
    });
  }

  it('a reader that holds up what a follower replays does not hold up its promotion', async () => {
    await a.sql("INSERT INTO public.t SELECT 'x' FROM generate_series(1, 100)");
    await caughtUp(b, a);
    const reader = await openSession(b.profile.sql, { statementMs: 60_000 });
    await reader.query("SET application_name = 'report'");
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await reader.query('SELECT count(*) FROM public.t');
    await a.sql('DELETE FROM public.t');
    await a.sql('VACUUM public.t');
    await a.sql("INSERT INTO public.t VALUES ('last')");
    await eventually('replay waits for the reader', async () => {
      const [row] = await b.sql<{ waits: string | null }>(
        "SELECT wait_event AS waits FROM pg_stat_activity WHERE backend_type = 'startup'",
      );
      return row?.waits?.startsWith('RecoveryConflict') ?? false;
    });
    await a.kill();
    const began = Date.now();
    await b.profile.promote(2, AbortSignal.timeout(40_000));
    console.log(`      promoted after ${Date.now() - began} ms`);
    expect(Date.now() - began).to.be.lessThan(5_000);
    await reader.close();
  });
});
