import { expect } from 'chai';
import { RESOURCES } from '../../operator/kube/resources.ts';
import { recordName } from '../../operator/model/names.ts';
import { up } from '../../scripts/kubernetes/cluster.ts';
import { killMachines } from '../../scripts/kubernetes/machines.ts';
import type { Database } from '../support/database.ts';
import { newTrial, type FailoverTrial } from '../support/failover.ts';
import { Operations } from '../support/operations.ts';
import { engineProcesses, signal } from '../support/processes.ts';
import { scenario } from '../support/scenario.ts';

describe('failover: the record, and everything off', function () {
  this.timeout(400_000);
  const scene = scenario('record');
  let database: Database;
  let trial: FailoverTrial;

  before(async () => {
    ({ database, trial } = await newTrial(scene));
  });

  it('the record is deleted: it comes back with a later epoch, and failover works', async () => {
    const { before, after } = await trial.survives(async () => {
      await scene.client.delete(RESOURCES.leases, { namespace: scene.namespace, name: recordName(database.name) });
      await scene.eventually('there is a record', () => database.record());
      await trial.well();
    });
    expect(after.record.epoch).to.be.greaterThan(before.record.epoch);
    await trial.survives(async ({ rw }) => {
      signal('SIGKILL', [(await engineProcesses(rw)).tini]);
      await trial.successor(rw.metadata.uid);
    });
  });

  it('etcd is restored from an older snapshot: the epoch does not go back', async () => {
    const { before, after } = await trial.survives(async ({ ros, rw, faults }) => {
      const restore = await faults.snapshotEtcd();
      const operations = new Operations(scene, database);
      await operations.ended(await operations.switchRw(database.instanceOf(ros[0]!)));
      await trial.successor(rw.metadata.uid);
      await restore();
    });
    expect(after.record.epoch).to.be.greaterThan(before.record.epoch + 1);
  });

  it('all nodes and the control plane are switched off and on', async () => {
    await database.write('before the night');
    const { record } = await trial.well();
    await killMachines(scene.local.name);
    await up({ name: scene.local.name });
    // What stands in the store tells of the evening until somebody writes anew.
    const morning = await trial.granted(record.epoch);
    expect(morning.holder?.instanceId).to.equal(record.holder?.instanceId);
    await trial.well();
    expect(await database.rows()).to.include('before the night');
    await trial.survives(() => Promise.resolve());
  });
});
