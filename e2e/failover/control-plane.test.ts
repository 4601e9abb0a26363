import { expect } from 'chai';
import type { Database } from '../support/database.ts';
import { throughout } from '../support/eventually.ts';
import { newTrial, type FailoverTrial } from '../support/failover.ts';
import { Faults } from '../support/faults.ts';
import { Operations } from '../support/operations.ts';
import { StackPart } from '../support/parts.ts';
import { engineProcesses, killPostmaster, programsOf, signal } from '../support/processes.ts';
import { scenario } from '../support/scenario.ts';

/** Twenty times the right of an RW. */
const LONG_MS = 60_000;

describe('failover: the control plane', function () {
  this.timeout(400_000);
  const scene = scenario('control');
  let database: Database;
  let trial: FailoverTrial;
  let manager: StackPart;

  before(async () => {
    ({ database, trial } = await newTrial(scene));
    manager = new StackPart(scene, 'cluster-manager');
  });

  /** What the record and the endpoint show when a failover has come so far. */
  const phases: Record<string, (epoch: number, name: string) => Promise<boolean>> = {
    'the engine has ended': () => Promise.resolve(true),
    'the right is revoked': async epoch => (await database.record()).epoch > epoch,
    'the successor is granted': async epoch => {
      const record = await database.record();
      return record.epoch > epoch && record.holder !== undefined;
    },
    'the successor is published': async (_, former) => {
      const published = await database.published();
      return published !== undefined && published !== former;
    },
  };

  for (const [phase, isReached] of Object.entries(phases)) {
    it(`the leader of the cluster manager is killed when ${phase}`, async () => {
      await manager.renew();
      await trial.survives(async ({ rw }) => {
        const leader = await programsOf(await manager.leader());
        const { epoch } = await database.record();
        const former = (await database.published()) ?? '';
        // The whole container: a failover, and no restart in its place.
        signal('SIGKILL', [(await engineProcesses(rw)).tini]);
        await scene.eventually(phase, async () => (await isReached(epoch, former)) || undefined, { everyMs: 2 });
        signal('SIGKILL', leader);
      });
    });
  }

  it('no cluster manager for a minute: the RW goes on', async () => {
    const { before, after } = await trial.survives(async ({ load }) => {
      await manager.scale(0);
      try {
        await throughout(LONG_MS, () => load.writes());
      } finally {
        await manager.scale(2);
      }
    });
    expect(after.record.epoch).to.equal(before.record.epoch);
    expect(after.rw.metadata.uid).to.equal(before.rw.metadata.uid);
  });

  it('no API server for a minute: the RW goes on, and an engine that is killed meanwhile is restarted', async () => {
    const { before, after } = await trial.survives(async ({ rw, load, faults }) => {
      const start = await faults.stopApiServer();
      await throughout(LONG_MS / 2, () => load.writes());
      await killPostmaster(rw);
      await throughout(LONG_MS / 2, () => load.writes());
      await start();
    });
    // For the tests that follow, which scale parts.
    await new Faults(scene.local).watchAnew();
    expect(after.record.holder?.podUid).to.equal(before.record.holder?.podUid);
    expect(after.record.epoch).to.equal(before.record.epoch);
  });

  it('the API server hangs for half a minute: what comes late does no harm', async () => {
    await trial.survives(async ({ load, faults }) => {
      const mend = await faults.freezeApiServer();
      await throughout(LONG_MS / 2, () => load.writes());
      await mend();
    });
  });

  it('no operator: engines are failed over, and an operation moves the RW', async () => {
    const operator = new StackPart(scene, 'operator');
    // Nobody else says that it is.
    await trial.well();
    await operator.scale(0);
    try {
      await trial.survives(async ({ rw }) => {
        signal('SIGKILL', [(await engineProcesses(rw)).tini]);
      });
      const { before, after } = await trial.survives(async ({ ros }) => {
        const operations = new Operations(scene, database);
        const { status } = await operations.ended(await operations.switchRw(database.instanceOf(ros[0]!)));
        expect(status?.phase, status?.message).to.equal('Succeeded');
      });
      expect(after.record.epoch).to.equal(before.record.epoch + 1);
    } finally {
      await operator.scale(2);
    }
  });
});
