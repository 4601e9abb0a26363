import { expect } from 'chai';
import type { MPDClusterSpecInput } from '../../crds/mpdcluster.ts';
import type { Database } from '../support/database.ts';
import { engineUnderTest, shareSpec } from '../support/engine.ts';
import { throughout } from '../support/eventually.ts';
import { newTrial, type FailoverTrial } from '../support/failover.ts';
import { Operations } from '../support/operations.ts';
import { engineProcesses, hasEngine, killPostmaster, programsOf, signal } from '../support/processes.ts';
import { scenario } from '../support/scenario.ts';
import { sharedVolume, type SharedVolume } from '../support/shared-volume.ts';

/** Longer than rung 4 takes: silence, right and margin. */
const EXPIRED_MS = 12_000;
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute';

for (const [unfencedFailover, title] of [
  ['never', 'failover on a shared volume'],
  ['afterExpiry', 'failover on a shared volume, without a fence'],
] as const) {
  describe(title, function () {
    this.timeout(400_000);
    const scene = scenario(`share-${unfencedFailover.toLowerCase()}`);
    let volume: SharedVolume;
    let database: Database;
    let trial: FailoverTrial;

    before(async () => {
      volume = await sharedVolume(scene, `failover-${unfencedFailover.toLowerCase()}`);
      const spec: MPDClusterSpecInput = { ...shareSpec(2, volume.claim), ha: { unfencedFailover } };
      // Who may follow on expiry alone is recorded beforehand.
      const members = unfencedFailover === 'afterExpiry' ? 2 : 0;
      const readsOnRos = engineUnderTest() === 'polardb';
      ({ database, trial } = await newTrial(scene, { spec, members, readsOnRos }));
    });
    // The scenario has ended before: its clusters are gone.
    after(() => volume.remove());

    if (unfencedFailover === 'never') {
      it('the first process of the RW is killed', async () => {
        await trial.survives(async ({ rw }) => {
          await killPostmaster(rw);
        });
      });

      it('the RW is switched over', async () => {
        const { before, after } = await trial.survives(async ({ ros }) => {
          const operations = new Operations(scene, database);
          const { status } = await operations.ended(await operations.switchRw(database.instanceOf(ros[0]!)));
          expect(status?.phase, status?.message).to.equal('Succeeded');
        });
        expect(after.record.holder?.instanceId).to.not.equal(before.record.holder?.instanceId);
      });

      it('the container of the RW is killed', async () => {
        await trial.survives(async ({ rw }) => {
          signal('SIGKILL', [(await engineProcesses(rw)).tini]);
        });
      });

      it('the node of the RW is cut off: nobody else writes before somebody says that it is off', async () => {
        const { after } = await trial.survives(async ({ rw, node, faults }) => {
          const mend = await faults.cutLink(node);
          await throughout(EXPIRED_MS, async () => {
            expect((await database.record()).holder?.podUid ?? rw.metadata.uid).to.equal(rw.metadata.uid);
          });
          const says = new RegExp(`${node}.*out-of-service`);
          await database.condition('WriterAvailable', { status: 'False', says }, 60_000);
          signal('SIGKILL', await programsOf(rw));
          try {
            await scene.kubectl.run('taint', 'node', node, OUT_OF_SERVICE);
            await trial.successor(rw.metadata.uid);
          } finally {
            await mend();
            await scene.kubectl.run('taint', 'node', node, `${OUT_OF_SERVICE}-`);
          }
        });
        expect(after.record.fence?.rung).to.equal(5);
      });
    } else {
      it('the node of the RW is cut off: another instance follows when its right has ended', async () => {
        const { after } = await trial.survives(async ({ rw, node, faults }) => {
          const mend = await faults.cutLink(node);
          await trial.successor(rw.metadata.uid);
          expect(await hasEngine(rw), 'the engine of the former RW runs').to.be.false;
          await mend();
        });
        expect(after.record.fence?.rung).to.equal(4);
      });
    }
  });
}
