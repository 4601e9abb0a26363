import { expect } from 'chai';
import { connect } from '../agent/testing/cluster.ts';
import { eventually } from '../agent/testing/namespace.ts';
import { APP_PASSWORD, EngineWorld } from './testing/engine-world.ts';

const LIMIT_MS = 30_000;

describe('cluster manager (real agents, real PostgreSQL)', function () {
  this.timeout(120_000);
  let world: EngineWorld;
  before(async () => {
    world = await EngineWorld.open();
  });
  after(() => world.close());

  const inSync = (count: number) =>
    eventually(
      `${count} members in E`,
      () => {
        const { members = [], k = 0 } = world.record ?? {};
        return members.length === count && members.every(it => !it.pending) && k === 1;
      },
      LIMIT_MS,
    );
  const rwIs = (ids: readonly string[]) =>
    eventually(`one of ${ids.join(', ')} is published`, () => ids.includes(world.published ?? ''), LIMIT_MS);
  const rw = () => world.pod(world.published);

  it('brings a group up: an RW that took a write is published', async () => {
    await rwIs(['1001']);
    expect(world.record?.holder?.instanceId).to.equal('1001');
  });

  it('brings followers to their places and into E', async () => {
    await world.makeAccounts();
    await inSync(2);
  });

  it('replaces an RW whose postmaster is killed, and makes a member of it again', async () => {
    process.kill(rw().postmaster!, 'SIGKILL');
    await rwIs(['1002', '1003']);
    expect(world.record).to.deep.include({ epoch: 2 });
    expect(world.switches[0]).to.include({ from: '1001' });
    await inSync(2);
  });

  it('goes on taking writes that members hold', async () => {
    const client = await connect(world.site, rw(), 'app', APP_PASSWORD);
    try {
      // A commit that waits for nobody who answers would wait without end.
      await client.query("SET statement_timeout = '5s'");
      await client.query('CREATE TABLE IF NOT EXISTS t (n int)');
      await client.query('INSERT INTO t VALUES (1)');
      const { rows } = await client.query<{ n: number }>(
        "SELECT count(*)::int AS n FROM pg_stat_replication WHERE sync_state = 'quorum'",
      );
      expect(rows[0]?.n).to.equal(2);
    } finally {
      await client.end();
    }
  });

  it('follows an RW that was told to end in order, and takes it back as it was: its data is not copied', async () => {
    const former = rw();
    const { instanceId } = former.config;
    former.signal('SIGTERM');
    await rwIs(['1001', '1002', '1003'].filter(it => it !== instanceId));
    await former.ended();
    await former.start();
    const isIn = (): boolean | undefined => world.record?.members.some(it => it.incarnation.instanceId === instanceId);
    await eventually('it is a member of E', isIn, LIMIT_MS);
    expect(former.output).to.contain('"how":"rewound"').and.not.contain('"how":"copied"');
    await inSync(2);
  });

  it('stops it: nobody holds the record, the former RW is proven', async () => {
    world.want({ stopped: true });
    await eventually('the record is fenced', () => world.record?.fence?.epoch === 4, LIMIT_MS);
    expect(world.record?.holder).to.equal(undefined);
    expect(world.published).to.equal(undefined);
  });

  it('starts it again', async () => {
    world.want({ stopped: false });
    await eventually('an RW is published', () => world.published, LIMIT_MS);
    await inSync(2);
  });
});
