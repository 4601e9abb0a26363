import { expect } from 'chai';
import { acknowledged, gaps } from '../../scripts/load/report.ts';
import type { Database } from '../support/database.ts';
import { newTrial, type FailoverTrial, type Outcome } from '../support/failover.ts';
import { DatabaseLoad } from '../support/load.ts';
import { hasEngine } from '../support/processes.ts';
import { scenario } from '../support/scenario.ts';

describe('failover: links', function () {
  this.timeout(300_000);
  const scene = scenario('links');
  let database: Database;
  let trial: FailoverTrial;

  before(async () => {
    ({ database, trial } = await newTrial(scene));
  });

  it("the RW's node is cut off and comes back: the RW was stopped before its successor wrote", async () => {
    let client: DatabaseLoad | undefined;
    try {
      const outcome = await trial.survives(async ({ rw, node, faults }) => {
        client = await DatabaseLoad.start(scene, database, rw);
        const mend = await faults.cutLink(node);
        await trial.successor(rw.metadata.uid);
        expect(await hasEngine(rw), 'the engine beside the cut link runs').to.be.false;
        await mend();
      });
      const beside = await client!.end();
      expect(outcome.after.record.epoch).to.equal(outcome.before.record.epoch + 1);
      expect(beside.verdict.lost, 'rows acknowledged beside the cut link that are lost').to.deep.equal([]);
      const last = Math.max(...acknowledged(beside.events).map(({ at }) => at));
      expect(last).to.be.lessThan(firstWriteOfSuccessor(outcome));
    } finally {
      await client?.stop();
    }
  });

  for (const [direction, what] of [
    ['in', 'hears nothing'],
    ['out', 'is not heard'],
  ] as const) {
    it(`the RW's node ${what}`, async () => {
      const { before, after } = await trial.survives(async ({ rw, node, faults }) => {
        const mend = await faults.cutOneWay(node, direction);
        await trial.successor(rw.metadata.uid);
        await mend();
      });
      expect(after.record.epoch).to.equal(before.record.epoch + 1);
    });
  }

  it("an RO's node is cut off: the RW goes on with the other RO", async () => {
    const { before, after, events } = await trial.survives(async ({ ros, load, faults }) => {
      const mend = await faults.cutLink(ros[0]!.spec?.nodeName ?? '');
      await scene.eventually('the lost RO is no member', async () => {
        const { members } = await database.record();
        return members.every(it => it.incarnation.podUid !== ros[0]!.metadata.uid) || undefined;
      });
      await load.writes();
      await mend();
    });
    expect(after.record.epoch).to.equal(before.record.epoch);
    expect(gaps(events, 2_500), 'an acknowledgement of one of two is enough').to.deep.equal([]);
  });
});

/** By the clock of the server, which is the client's here. */
function firstWriteOfSuccessor({ events, writtenAt }: Outcome): number {
  const [first] = acknowledged(events);
  const successor = acknowledged(events).find(({ server }) => server !== first?.server);
  return writtenAt.get(successor?.n ?? 0) ?? 0;
}
