import { expect } from 'chai';
import { RESOURCES } from '../operator/kube/resources.ts';
import { agentAndPostmaster, type PodRef } from './support/container.ts';
import type { Database } from './support/database.ts';
import { engineUnderTest, shareSpec } from './support/engine.ts';
import { scenario } from './support/scenario.ts';
import { sharedVolume, type SharedVolume } from './support/shared-volume.ts';

describe('a cluster over one shared volume', function () {
  this.timeout(180_000);
  const scene = scenario('share');
  const readsOnMembers = engineUnderTest() === 'polardb';
  let database: Database;
  let volume: SharedVolume;

  before(async () => {
    volume = await sharedVolume(scene, 'shared-data');
    database = await scene.newCluster('shared', shareSpec(2, volume.claim));
    await database.ready();
    await database.write('first');
  });
  // Before the scenario looks for what is left of the cluster.
  after(async () => {
    await database.delete();
    await database.gone();
    await volume.remove();
  });

  /** How many of its pods run an engine's first process now. */
  async function engines(): Promise<number> {
    const pods = (await database.pods()).map(({ metadata }): PodRef => ({
      namespace: scene.namespace,
      name: metadata.name,
    }));
    const seen = await Promise.all(pods.map(pod => agentAndPostmaster(scene.kubectl, pod)));
    return seen.filter(({ postmaster }) => postmaster !== undefined).length;
  }

  it('serves reads and writes through <c>-rw', async () => {
    expect(await database.rows()).to.deep.equal(['first']);
  });

  it(readsOnMembers ? 'members serve reads' : 'members stand ready without an engine', async () => {
    const { status } = await database.get();
    expect(status).to.include({ readyFollowers: 2, followers: '2/2' });
    expect(await engines()).to.equal(readsOnMembers ? 3 : 1);
    if (readsOnMembers)
      await scene.eventually('members see the row', async () => (await database.rows('ro')).length === 1 || undefined);
  });

  it('another member serves the same data, under a later epoch, when the pod of the RW is deleted', async () => {
    const before = await database.rwPod();
    const { epoch } = await database.record();
    await scene.client.delete(RESOURCES.pods, { namespace: scene.namespace, name: before.metadata.name });
    await scene.eventually('the RW is another pod, and the cluster is Ready', async () => {
      const pod = await database.rwPod();
      expect(pod.metadata.uid).not.to.equal(before.metadata.uid);
      return database.isReady();
    });
    expect((await database.record()).epoch).to.equal(epoch + 1);
    await database.write('second');
    expect(await database.rows()).to.deep.equal(['first', 'second']);
    expect(await engines()).to.equal(readsOnMembers ? 3 : 1);
  });

  it('its claim outlives it, and no other cluster takes its data for its own', async () => {
    await database.delete();
    await database.gone();
    const claim = await scene.client.get(RESOURCES.persistentVolumeClaims, {
      namespace: scene.namespace,
      name: volume.claim,
    });
    expect(claim?.metadata.deletionTimestamp).to.equal(undefined);
    expect(claim?.metadata.uid).to.be.a('string');

    const other = await scene.newCluster('other', shareSpec(0, volume.claim));
    await other.condition('Ready', { status: 'False', says: /another cluster/ }, 60_000);
    await other.delete();
    await other.gone();
  });
});
