import { expect } from 'chai';
import type { AgentError } from '../agent-api/errors.ts';
import { formatIncarnation } from '../ha/incarnation.ts';
import { CloseOrders, me, upstream } from './testing/close-orders.ts';
import { settle } from './testing/fake-clock.ts';

const outcomeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (error: unknown) => (error as AgentError).code,
  );

describe('orders that come close together', () => {
  let bed: CloseOrders;
  beforeEach(async () => {
    bed = await CloseOrders.open();
    await bed.agent.start({ ...bed.startFrom('10.0.0.1', 1), waitMs: 1_000 });
    await bed.member.launch();
    bed.follows = '10.0.0.1';
  });

  for (const writes of [0, 1, 2]) {
    it(`a follower that tells its position is cut, whatever it was about to follow (${writes} writes between)`, async () => {
      bed.slowDisk();
      const started = bed.agent.start({ ...bed.startFrom('10.0.0.2', 2), waitMs: 1_000 });
      await settle();
      for (let i = 0; i < writes; i++) await bed.writeOne();
      const prepared = outcomeOf(bed.agent.prepare({ command: bed.command(3) }));
      await settle();
      expect(await bed.writeUntil(prepared)).to.equal('done');
      await bed.fastDisk();
      await outcomeOf(started);
      await bed.tasks.idle();
      expect(bed).to.include({ follows: undefined, hasPassword: false });
      expect(bed.store.now.plan).to.deep.equal({ role: 'ro' });
      expect(bed.store.now.preparedEpoch).to.equal(3);
    });
  }

  it('a setting for commits that is newer than the record outlives the promotion beside it', async () => {
    const [other, another] = ['3', '4'].map(instanceId => ({ ...me, instanceId }));
    const members = [{ incarnation: other!, pending: false }];
    bed.record = { clusterUid: 'u', epoch: 2, term: 1, generation: 4, members, k: 1, holder: me };
    bed.slowDisk();
    const promoted = bed.agent.promote({ command: bed.command(2, 4), waitMs: 1_000 });
    await settle();
    const staged = bed.agent.quorum({
      command: bed.command(2, 4),
      generation: 5,
      members: [formatIncarnation(another!)],
      k: 1,
    });
    await settle();
    // The command to promote is written, and the setting is about to be.
    await bed.writeOne();
    await bed.fastDisk();
    expect(await outcomeOf(staged)).to.equal('done');
    await promoted;
    expect(bed.store.now.quorum).to.include({ generation: 5, k: 1 });
  });

  it('a question for the position that comes late takes no RW its role', async () => {
    bed.record = { clusterUid: 'u', epoch: 2, term: 1, generation: 1, members: [], k: 0, holder: me };
    await bed.agent.prepare({ command: bed.command(2) });
    bed.slowDisk();
    const promoted = bed.agent.promote({ command: bed.command(2), waitMs: 1_000 });
    await settle();
    const prepared = outcomeOf(bed.agent.prepare({ command: bed.command(2) }));
    await settle();
    await bed.fastDisk();
    expect(await prepared).to.equal('WrongRole');
    await promoted;
    expect(bed.store.now.plan.role).to.equal('rw');
  });

  it('a member that is told to stop while a start is being written down stays stopped', async () => {
    bed.slowDisk();
    const started = outcomeOf(bed.agent.start({ ...bed.startFrom('10.0.0.2', 2), waitMs: 1_000 }));
    await settle();
    const stopped = bed.agent.stop({ command: bed.command(2), waitMs: 1_000 });
    await settle();
    await bed.fastDisk();
    expect(await stopped).to.include({ kind: 'stop', state: 'done' });
    expect(await started).to.equal('Interrupted');
    expect(bed.store.now.plan).to.deep.equal({ role: 'stopped' });
    expect(bed.phase).to.equal('idle');
  });

  it('a fresh agent that is told to stop while it looks at its volume starts nothing', async () => {
    bed.phase = 'idle';
    let look: () => void = () => undefined;
    bed.looking = new Promise(resolve => void (look = resolve));
    const booted = bed.member.boot();
    const stopped = bed.agent.stop({ command: bed.command(2), waitMs: 1_000 });
    await settle();
    look();
    await Promise.all([booted, stopped]);
    expect(bed.phase).to.equal('idle');
  });

  it('a follower that comes up still when it is to be RW is promoted once it is up', async () => {
    bed.record = { clusterUid: 'u', epoch: 2, term: 1, generation: 1, members: [], k: 0, holder: me };
    bed.phase = 'starting';
    expect(await bed.agent.promote({ command: bed.command(2), waitMs: 1_000 })).to.include({ state: 'done' });
    expect(bed.done).to.deep.equal(['promoted']);
  });

  it('are taken as ever one after the other', async () => {
    await bed.agent.prepare({ command: bed.command(2) });
    expect(bed).to.include({ follows: undefined, hasPassword: false });
    await bed.agent.start({ ...bed.startFrom('10.0.0.3', 2), waitMs: 1_000 });
    expect(bed).to.include({ follows: '10.0.0.3', hasPassword: true });
    expect(bed.store.now.plan).to.deep.equal({ role: 'ro', upstream: upstream('10.0.0.3') });
  });
});
