import { expect } from 'chai';
import type { Database } from '../support/database.ts';
import { throughout } from '../support/eventually.ts';
import { newTrial, type FailoverTrial } from '../support/failover.ts';
import { StackPart } from '../support/parts.ts';
import { engineOf, engineProcesses, signal } from '../support/processes.ts';
import { scenario } from '../support/scenario.ts';

/** Longer than rung 4 takes: silence, right and margin. */
const EXPIRED_MS = 12_000;

describe('failover: several things at once', function () {
  this.timeout(400_000);
  const scene = scenario('several');
  let database: Database;
  let trial: FailoverTrial;
  let manager: StackPart;

  before(async () => {
    ({ database, trial } = await newTrial(scene));
    manager = new StackPart(scene, 'cluster-manager');
  });

  it('the successor of a killed RW is killed as soon as it writes', async () => {
    await trial.survives(async ({ rw, load }) => {
      signal('SIGKILL', [(await engineProcesses(rw)).tini]);
      const next = await trial.successor(rw.metadata.uid);
      await load.writes();
      signal('SIGKILL', [(await engineProcesses(next)).tini]);
    });
  });

  it('the RW fails while one RO lags far behind: who lags is neither promoted nor in E before it has every row', async () => {
    await trial.survives(async ({ rw, ros, faults }) => {
      const laggard = ros[0]!;
      const receiver = (await engineProcesses(laggard)).children.find(({ what }) => what.startsWith('walreceiver'));
      const resume = faults.pause([receiver!.pid]);
      const { epoch } = await database.record();
      signal('SIGKILL', [(await engineProcesses(rw)).tini]);
      const { holder, members } = await trial.granted(epoch);
      expect([holder, ...members.map(it => it.incarnation)].map(it => it?.podUid)).to.not.include(laggard.metadata.uid);
      await resume();
    });
  });

  it('the RW is lost, and the leader of the cluster manager with it', async () => {
    const { node } = await trial.place();
    await manager.placeLeader(leader => leader === node);
    const { before, after } = await trial.survives(async ({ rw, faults }) => {
      const mend = await faults.cutLink(node);
      await trial.successor(rw.metadata.uid);
      await mend();
    });
    expect(after.record.epoch).to.equal(before.record.epoch + 1);
  });

  it('the RW and an RO are lost, and the RO that is left had been paused: it waits, and says for whom', async () => {
    const { node, gateway } = await trial.place();
    await manager.placeLeader(leader => leader === gateway);
    const { before, after } = await trial.survives(async ({ rw, faults }) => {
      const all = await database.pods('ro');
      const left = all.find(({ spec }) => spec?.nodeName === gateway)!;
      const lost = all.find(({ spec }) => spec?.nodeName !== gateway)!;
      const resume = faults.pause(engineOf(await engineProcesses(left)));
      const mends = await Promise.all([faults.cutLink(node), faults.cutLink(lost.spec?.nodeName ?? '')]);
      await resume();
      await throughout(EXPIRED_MS, async () => {
        expect((await database.record()).holder?.podUid).to.not.equal(left.metadata.uid);
      });
      const says = new RegExp(`missing: .*${database.instanceOf(lost)}`);
      const missing = await database.condition('WriterAvailable', { status: 'False', says }, 60_000);
      expect(missing).to.contain(database.instanceOf(rw));
      for (const mend of mends) await mend();
    });
    expect(after.record.epoch).to.be.at.least(before.record.epoch);
  });
});
