import { expect } from 'chai';
import { RESOURCES, type PersistentVolume, type PersistentVolumeClaim } from '../operator/kube/resources.ts';
import { LABEL } from '../operator/model/labels.ts';
import { localSpec } from './support/engine.ts';
import { changesSince, inventory } from './support/inventory.ts';
import { scenario } from './support/scenario.ts';

describe('deletion', function () {
  this.timeout(180_000);
  const scene = scenario('delete');
  let before: string[];

  beforeEach(async () => {
    before = await inventory(scene.client, scene.namespace);
  });

  const leavesNothing = (): Promise<void> => leaves([]);

  /** Kubernetes' garbage collector takes the children some seconds after their owner. */
  async function leaves(more: readonly string[]): Promise<void> {
    await scene.eventually('all is as before', async () => {
      const { more: found, fewer } = await changesSince(before, scene.client, scene.namespace);
      if (String(found) === String(more.toSorted()) && fewer.length === 0) return true;
      throw new Error(`left: ${found.join(', ')}; missing: ${fewer.join(', ')}`);
    });
  }

  function claims(cluster: string): Promise<PersistentVolumeClaim[]> {
    const labelSelector = `${LABEL.cluster}=${cluster}`;
    return scene.client.list(RESOURCES.persistentVolumeClaims, { namespace: scene.namespace, labelSelector });
  }

  it('takes everything with it when its policy is Delete, ports of the host network too', async () => {
    const netCfg = { engineStartPort: 5461 };
    const database = await scene.newCluster('all', localSpec(1, { netCfg }));
    await database.ready();
    await database.write('gone');
    await database.delete();
    await database.gone();
    await leavesNothing();
  });

  it('keeps volumes, cleanly stopped, when its policy is Retain, and nobody adopts them', async () => {
    const retained = localSpec(1, { terminationPolicy: 'Retain' });
    const first = await scene.newCluster('keep', retained);
    await first.ready();
    await first.write('of the first');
    const kept = await claims('keep');
    await first.delete();
    await first.gone();
    const names = kept.map(({ metadata }) => `PersistentVolumeClaim ${scene.namespace}/${metadata.name}`);
    await leaves(names);
    for (const claim of kept) {
      const files = await filesOf(claim);
      expect(files).to.include('PG_VERSION').and.not.include('postmaster.pid');
    }

    const second = await scene.newCluster('keep', { ...retained, terminationPolicy: 'Delete', followerNum: 0 });
    await second.ready();
    await second.write('of the second');
    expect(await second.rows()).to.deep.equal(['of the second']);
    await second.delete();
    await second.gone();
    await leaves(names);
    for (const { metadata } of kept) {
      const ref = { namespace: scene.namespace, name: metadata.name };
      const claim = await scene.client.get(RESOURCES.persistentVolumeClaims, ref);
      expect(claim?.metadata.uid, metadata.name).to.equal(metadata.uid);
      await scene.client.delete(RESOURCES.persistentVolumeClaims, ref);
    }
  });

  it('is refused while spec.deletionProtection is true', async () => {
    const database = await scene.newCluster('protected', localSpec(0, { deletionProtection: true }));
    const refusal = await database.delete().then(String, String);
    expect(refusal).to.contain('deletionProtection is true: set it to false first');
    expect((await database.get()).metadata.deletionTimestamp).to.equal(undefined);
    await database.patch({ spec: { deletionProtection: false } });
    await database.delete();
    await database.gone();
    await leavesNothing();
  });

  it('ends a creation that has just begun', async () => {
    const database = await scene.newCluster('early', localSpec(2));
    await database.delete();
    await database.gone();
    await leavesNothing();
  });

  it('ends a creation whose pods are starting', async () => {
    const database = await scene.newCluster('half', localSpec(2));
    await scene.eventually('pods are there', async () => ((await database.pods()).length === 3 ? true : undefined));
    await database.delete();
    await database.gone();
    await leavesNothing();
  });

  it('works for a cluster that can never run', async () => {
    const database = await scene.newCluster('never', localSpec(0, { classInfo: { className: 'no-such-class' } }));
    await database.condition('Accepted', { status: 'False', says: /no-such-class/ });
    await database.delete();
    await database.gone();
    await leavesNothing();
  });

  it('comes with the deletion of its namespace', async () => {
    const namespace = `${scene.namespace}-whole`;
    await scene.client.create(RESOURCES.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
    const database = scene.database('inside', namespace);
    await database.create(localSpec(1));
    await database.ready();
    await scene.client.delete(RESOURCES.namespaces, { name: namespace });
    await scene.eventually('the namespace is gone', async () => {
      const left = await scene.client.get(RESOURCES.namespaces, { name: namespace });
      if (!left) return true;
      throw new Error(JSON.stringify(left.status?.conditions));
    });
    await leavesNothing();
  });

  /** Names of the files on the volume of a claim, wherever in it. */
  async function filesOf({ spec }: PersistentVolumeClaim): Promise<string[]> {
    const volume = await scene.client.get(RESOURCES.persistentVolumes, { name: spec?.volumeName ?? '' });
    const found = await scene.local.exec(nodeOf(volume), ['find', volume?.spec?.local?.path ?? '', '-type', 'f']);
    return found.split('\n').map(path => path.replace(/.*\//, ''));
  }
});

/** The node that a local volume lies on. */
function nodeOf(volume: PersistentVolume | undefined): string {
  const [node] =
    volume?.spec?.nodeAffinity?.required?.nodeSelectorTerms.flatMap(({ matchExpressions = [] }) =>
      matchExpressions.flatMap(it => it.values ?? []),
    ) ?? [];
  return node ?? '';
}
