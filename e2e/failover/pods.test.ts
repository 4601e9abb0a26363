import { expect } from 'chai';
import { RESOURCES, type Pod } from '../../operator/kube/resources.ts';
import type { Database } from '../support/database.ts';
import { newTrial, type FailoverTrial } from '../support/failover.ts';
import { hasEngine } from '../support/processes.ts';
import { scenario } from '../support/scenario.ts';

describe('failover: the pod of the RW', function () {
  this.timeout(300_000);
  const scene = scenario('pods');
  let database: Database;
  let trial: FailoverTrial;

  before(async () => {
    ({ database, trial } = await newTrial(scene));
  });

  async function forceDelete({ metadata: { name, namespace } }: Pod): Promise<void> {
    await scene.client.delete(RESOURCES.pods, { name, namespace }, { graceSeconds: 0 });
  }

  it('is deleted', async () => {
    const { before, after } = await trial.survives(async ({ rw: { metadata } }) => {
      await scene.client.delete(RESOURCES.pods, { name: metadata.name, namespace: metadata.namespace });
      await trial.successor(metadata.uid);
    });
    expect(after.record.epoch).to.be.greaterThan(before.record.epoch);
  });

  it('is force-deleted', async () => {
    const { before, after } = await trial.survives(async ({ rw }) => {
      await forceDelete(rw);
      await trial.successor(rw.metadata.uid);
    });
    expect(after.record.epoch).to.be.greaterThan(before.record.epoch);
  });

  it('is force-deleted while its kubelet is gone', async () => {
    await trial.survives(async ({ rw, node, faults }) => {
      const restart = await faults.stopKubelet(node);
      await forceDelete(rw);
      await trial.successor(rw.metadata.uid);
      await restart();
    });
  });

  it('is force-deleted while its node is cut off: one incarnation of it at a time', async () => {
    await trial.survives(async ({ rw, node, faults }) => {
      const mend = await faults.cutLink(node);
      await forceDelete(rw);
      await trial.successor(rw.metadata.uid);
      expect(await hasEngine(rw), 'the engine of the force-deleted pod runs').to.be.false;
      const twins = (await database.pods()).filter(pod => pod.metadata.name === rw.metadata.name);
      expect(twins.map(({ metadata }) => metadata.uid)).to.deep.equal([rw.metadata.uid]);
      await mend();
    });
  });
});
