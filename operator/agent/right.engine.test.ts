import { expect } from 'chai';
import type { GroupRecord, Member } from '../ha/record.ts';
import { createRw, done, grantTo, SETTINGS } from './testing/cluster.ts';
import { eventually } from './testing/namespace.ts';
import { CLUSTER, Site, type Pod } from './testing/pod.ts';

/** Some other member that could be promoted: it makes the right end. */
const OTHER: Member = {
  incarnation: { instanceId: '1002', podUid: 'p-2', nonce: '0123456789abcdef' },
  pending: false,
};
const withMembers = (record: GroupRecord, members: Member[]): GroupRecord => ({
  ...record,
  members,
  generation: record.generation + 1,
});

describe('right of an RW (real PostgreSQL)', function () {
  this.timeout(60_000);
  let site: Site;
  let rw: Pod;
  let incarnation: string;

  before(async () => {
    site = await Site.open();
    rw = await site.pod('1001');
    incarnation = await createRw(site, rw);
  });
  after(() => site.close());

  const engineGone = () => eventually('no engine process', () => rw.members().length === 3 && !rw.postmaster);
  const bound = async (): Promise<void> => {
    site.api.mode = 'answer';
    site.api.record = withMembers(site.api.record!, [OTHER]);
    const settings = { command: site.command(incarnation), settings: SETTINGS };
    await rw.client.settings(settings);
    await eventually('the right ends some day', async () => !(await rw.client.state()).right.unbounded);
  };
  const alone = async (): Promise<void> => {
    site.api.mode = 'answer';
    site.api.record = withMembers(site.api.record!, []);
    done(await rw.client.promote({ command: site.command(incarnation), waitMs: 20_000 }));
    expect((await rw.client.state()).right).to.include({ holds: true, unbounded: true });
  };

  it('with E empty it outlasts the API server', async () => {
    site.api.mode = 'refuse';
    const before = rw.postmaster;
    const began = Date.now();
    await eventually('longer than a right lasts', () => Date.now() - began > 3_500);
    expect(rw.postmaster).to.equal(before);
    expect((await rw.client.state()).right).to.include({ holds: true, unbounded: true });
  });

  it('ends the engine when it is not renewed in time', async () => {
    await bound();
    expect((await rw.client.state()).right).to.include({ holds: true, kind: 'record' });
    site.api.mode = 'refuse';
    await engineGone();
    const state = await eventually('stopped', async () => {
      const now = await rw.client.state();
      return now.stopped && now;
    });
    expect(state.stopped?.epoch).to.equal(1);
    expect(state.right.holds).to.equal(false);
  });

  it('the guard ends the engine of a frozen agent', async () => {
    await alone();
    await bound();
    const agent = rw.agentPid;
    process.kill(agent, 'SIGSTOP');
    try {
      await engineGone();
    } finally {
      process.kill(agent, 'SIGCONT');
    }
    await eventually('the agent knows', async () => (await rw.client.state()).stopped);
  });

  it('a frozen agent whose right has no end keeps its engine', async () => {
    await alone();
    const before = rw.postmaster;
    const agent = rw.agentPid;
    process.kill(agent, 'SIGSTOP');
    const began = Date.now();
    await eventually('longer than a right lasts', () => Date.now() - began > 3_500);
    process.kill(agent, 'SIGCONT');
    expect(rw.postmaster).to.equal(before);
    expect((await rw.client.state()).process.state).to.equal('running');
  });
});

describe('members of one shared volume (real PostgreSQL)', function () {
  this.timeout(60_000);
  let site: Site;
  before(async () => (site = await Site.open()));
  after(() => site.close());

  it('stand ready without an engine and take over the data', async () => {
    const [first, second] = [await site.pod('1001', 'share'), await site.pod('1002', 'share')];
    const rw = await createRw(site, first);
    const other = await second.start();
    const seen = await second.client.state();
    expect(seen.volume).to.include({ state: 'initialized', clusterUid: CLUSTER.uid });
    const command = () => site.command(other);
    done(await second.client.start({ command: command(), role: 'ro', settings: SETTINGS, waitMs: 5_000 }));
    expect((await second.client.state()).process).to.include({ state: 'held', role: 'ro' });
    expect((await fetch(`http://127.0.0.1:${second.config.ports.health}/readyz`)).status).to.equal(200);

    done(await first.client.demote({ command: site.command(rw), waitMs: 20_000 }));
    const { record } = site.api;
    site.api.record = { ...record!, holder: undefined, grant: undefined, epoch: 1, fence: undefined };
    grantTo(site, other);
    done(await second.client.promote({ command: command(), settings: SETTINGS, waitMs: 20_000 }));
    expect((await second.client.state()).facts).to.include({ role: 'rw', acceptsWrites: true });
    expect((await second.client.state()).volume.systemId).to.equal(seen.volume.systemId);
  });
});
