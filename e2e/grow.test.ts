import { expect } from 'chai';
import type { Database } from './support/database.ts';
import { localSpec } from './support/engine.ts';
import { scenario } from './support/scenario.ts';

describe('a cluster that changes its size', function () {
  this.timeout(180_000);
  const scene = scenario('grow');
  let database: Database;

  before(async () => {
    database = await scene.newCluster('grow', localSpec(1));
    await database.ready();
    await database.write('first');
  });

  it('gets another RO by kubectl scale, which has the data', async () => {
    const before = (await database.pods()).map(pod => pod.metadata.uid);
    await scene.kubectl.run('scale', 'mpdcluster/grow', '--namespace', scene.namespace, '--replicas=2');
    await scene.eventually('both ROs are ready', async () => {
      const { status } = await database.isReady();
      return status?.followers === '2/2' ? true : undefined;
    });
    const after = await database.pods();
    expect(after.map(pod => pod.metadata.uid)).to.include.members(before);
    expect(new Set(after.map(pod => pod.spec?.nodeName)).size, 'nodes').to.equal(3);
    const { status } = await database.get();
    expect(status?.clusterStatus).to.equal('Running');
    // Each connection may land on either of them.
    for (const pod of await database.pods('ro')) {
      const host = pod.status?.podIP ?? '';
      const rows = await database.sql('ro', sql => sql('SELECT row FROM kept'), { host });
      expect(rows).to.deep.equal([{ row: 'first' }]);
    }
  });

  it('stops on demand, keeping volumes and Secrets, and starts again with its data', async () => {
    const application = await database.application();
    await database.patch({ spec: { stopped: true } });
    await scene.eventually('it is stopped', async () => {
      const { status } = await database.get();
      expect(status?.clusterStatus).to.equal('Stopped');
      expect(await database.pods()).to.deep.equal([]);
      return true;
    });
    await database.condition('Ready', { status: 'False' });
    await database.patch({ spec: { stopped: false } });
    await database.ready();
    expect(await database.application()).to.deep.equal(application);
    expect(await database.rows()).to.deep.equal(['first']);
    await scene.eventually('the row is there for readers', async () => {
      expect(await database.rows('ro')).to.deep.equal(['first']);
      return true;
    });
  });
});
