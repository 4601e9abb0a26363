import { expect } from 'chai';
import { failures } from '../../scripts/load/report.ts';
import type { Database } from '../support/database.ts';
import { newTrial, type FailoverTrial } from '../support/failover.ts';
import { Operations } from '../support/operations.ts';
import { engineProcesses, signal } from '../support/processes.ts';
import { scenario } from '../support/scenario.ts';

describe('failover: planned moves of the RW', function () {
  this.timeout(400_000);
  const scene = scenario('planned');
  let database: Database;
  let trial: FailoverTrial;
  let operations: Operations;

  before(async () => {
    ({ database, trial } = await newTrial(scene));
    operations = new Operations(scene, database);
  });

  it('a switchover to a read-only node that is asked for: no statement fails but the one that is cut', async () => {
    let target = '';
    const { before, after, events } = await trial.survives(async ({ ros }) => {
      target = database.instanceOf(ros[0]!);
      const { status } = await operations.ended(await operations.switchRw(target));
      expect(status?.phase, status?.message).to.equal('Succeeded');
    });
    expect(after.record.epoch).to.equal(before.record.epoch + 1);
    expect(after.record.holder?.instanceId).to.equal(target);
    const failed = failures(events).filter(({ what }) => what === 'statement');
    expect(failed.map(({ code, message }) => `${code} ${message}`)).to.deep.equal([]);
    expect(failures(events).filter(({ what }) => what === 'cut').length).to.be.at.most(1);
  });

  it('a switchover by the annotation of the original', async () => {
    let target = '';
    const { after } = await trial.survives(async ({ ros, rw }) => {
      target = database.instanceOf(ros[0]!);
      await database.patch({ metadata: { annotations: { switchRw: target } } });
      await trial.successor(rw.metadata.uid);
    });
    expect(after.record.holder?.instanceId).to.equal(target);
  });

  it('a switchover to a read-only node that lags is refused with the reason; the RW goes on', async () => {
    const { before, after } = await trial.survives(async ({ ros, load, faults }) => {
      const receiver = (await engineProcesses(ros[0]!)).children.find(({ what }) => what.startsWith('walreceiver'));
      const resume = faults.pause([receiver!.pid]);
      // More than a stop of the RW would wait for.
      await database.sql('rw', sql => sql("SELECT pg_logical_emit_message(false, 'lag', repeat('lag', 10000000))"));
      const { status } = await operations.ended(await operations.switchRw(database.instanceOf(ros[0]!)));
      expect(status?.phase, status?.message).to.equal('Failed');
      expect(status?.message).to.match(/lag|behind|caught up/);
      await load.writes();
      await resume();
    });
    expect(after.record.epoch).to.equal(before.record.epoch);
  });

  for (const [what, request] of [
    ['an instance that there is not', 'nobody'],
    ['the RW itself', undefined],
  ] as const) {
    it(`a switchover to ${what} changes nothing`, async () => {
      const before = await trial.well();
      const target = request ?? database.instanceOf(before.rw);
      const { status } = await operations.ended(await operations.switchRw(target));
      if (request !== undefined) expect(status?.phase, status?.message).to.equal('Failed');
      expect((await trial.well()).record.epoch).to.equal(before.record.epoch);
    });
  }

  it('the target of a switchover dies in the middle of it: there is a writer all the same', async () => {
    await trial.survives(async ({ ros }) => {
      const { tini } = await engineProcesses(ros[0]!);
      const { epoch } = await database.record();
      const name = await operations.switchRw(database.instanceOf(ros[0]!));
      const isRevoked = async (): Promise<true | undefined> => (await database.record()).epoch > epoch || undefined;
      await scene.eventually('the right is revoked', isRevoked, { everyMs: 2 });
      signal('SIGKILL', [tini]);
      await operations.ended(name);
    });
  });

  it('every node is drained in turn, unattended', async () => {
    for (const { name } of scene.local.nodes) {
      await trial.survives(async () => {
        try {
          const flags = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=120s'];
          await scene.kubectl.run('drain', name, ...flags);
        } finally {
          await scene.kubectl.run('uncordon', name);
        }
      });
    }
  });
});
