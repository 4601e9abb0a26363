import { expect } from 'chai';
import type { Pod } from '../../operator/kube/resources.ts';
import { clockOffset, wrongClock } from '../support/clock.ts';
import type { Database } from '../support/database.ts';
import { newTrial, type FailoverTrial } from '../support/failover.ts';
import { Operations } from '../support/operations.ts';
import { engineProcesses, hasEngine, signal } from '../support/processes.ts';
import { scenario } from '../support/scenario.ts';

const HOUR_MS = 3_600_000;
/** Between a line of a log and the note of its time, on a machine that is busy with other things. */
const NEAR_MS = 60_000;

describe('failover: clocks', function () {
  this.timeout(300_000);
  const scene = scenario('clocks');
  let database: Database;
  let trial: FailoverTrial;

  before(async () => {
    ({ database, trial } = await newTrial(scene));
  });

  /** Kills the container of a pod, and waits until its next agent tells a time that is so wrong. */
  async function restartWith(offsetMs: number, pod: Pod): Promise<void> {
    signal('SIGKILL', [(await engineProcesses(pod)).tini]);
    await scene.eventually('an agent tells the wrong time', async () => {
      expect(await clockOffset(scene, pod)).to.be.closeTo(offsetMs, NEAR_MS);
      return true;
    });
    await trial.well();
  }

  async function moveTo(pod: Pod): Promise<void> {
    if ((await trial.well()).rw.metadata.uid === pod.metadata.uid) return;
    const operations = new Operations(scene, database);
    const { status } = await operations.ended(await operations.switchRw(database.instanceOf(pod)));
    expect(status?.phase, status?.message).to.equal('Succeeded');
    await trial.well();
  }

  it('one agent is an hour ahead and one an hour behind: rights begin, move and end as ever', async () => {
    const { before, after } = await trial.survives(async ({ rw: ahead, ros, node, faults }) => {
      const behind = ros[0]!;
      await wrongClock(scene, behind, '-1h');
      await restartWith(-HOUR_MS, behind);
      await wrongClock(scene, ahead, '+1h');
      await restartWith(HOUR_MS, ahead);

      await moveTo(behind);
      await moveTo(ahead);
      const mend = await faults.cutLink(node);
      await trial.successor(ahead.metadata.uid);
      expect(await hasEngine(ahead), 'the engine beside the cut link runs').to.be.false;
      await mend();
    });
    expect(after.record.epoch).to.be.at.least(before.record.epoch + 3);
  });
});
