import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { RESOURCES } from '../operator/kube/resources.ts';
import { e2eImages } from './support/cluster.ts';
import { localSpec, shareSpec } from './support/engine.ts';
import { scenario } from './support/scenario.ts';
import { sharedVolume } from './support/shared-volume.ts';

const SAMPLE = 'manifests/golden/clusters/original.yaml';

describe('input that cannot work here', function () {
  this.timeout(180_000);
  const scene = scenario('bad');

  it('unknown class: names it and the known ones; runs when a known one is given', async () => {
    const database = await scene.newCluster('class', localSpec(0, { classInfo: { className: 'x9.giant' } }));
    const message = await database.condition('Accepted', { status: 'False', says: /"x9\.giant"/ });
    expect(message).to.contain('spec.classInfo.className').and.contain('polar.o.x1.small');
    await database.condition('Ready', { status: 'False' });
    await database.patch({ spec: { classInfo: { className: 'polar.o.x1.small' } } });
    await database.ready();
    await database.delete();
  });

  it('unknown version: names it and the known ones', async () => {
    const database = await scene.newCluster('version', localSpec(0, { versionCfg: { versionName: 'postgresql-99' } }));
    const message = await database.condition('Accepted', { status: 'False', says: /"postgresql-99"/ });
    expect(message).to.contain('spec.versionCfg').and.contain('postgresql-15');
    await database.delete();
  });

  it('port out of the range of the site: names both', async () => {
    const database = await scene.newCluster('port', localSpec(0, { netCfg: { engineStartPort: 7000 } }));
    const message = await database.condition('Accepted', { status: 'False', says: /7000/ });
    expect(message).to.contain('spec.netCfg.engineStartPort').and.contain('5400-5800');
    await database.delete();
  });

  it('shared claim that is missing: says so; runs when it is there', async () => {
    const database = await scene.newCluster('claim', shareSpec(0, 'not-yet'));
    const message = await database.condition('Accepted', { status: 'False', says: /"not-yet"/ });
    expect(message).to.contain('spec.shareStore.sharePvcName').and.contain('create it');
    const volume = await sharedVolume(scene, 'not-yet');
    try {
      await database.ready();
    } finally {
      await database.delete();
      await database.gone();
      await volume.remove();
    }
  });

  it('shared claim of a block device: tells what to use', async () => {
    const metadata = { name: 'block', namespace: scene.namespace };
    await scene.client.create(RESOURCES.persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata,
      spec: {
        accessModes: ['ReadWriteMany'],
        volumeMode: 'Block',
        storageClassName: '',
        resources: { requests: { storage: '1Gi' } },
      },
    });
    const database = await scene.newCluster('block', shareSpec(0, 'block'));
    const message = await database.condition('Accepted', { status: 'False', says: /"block" is a block volume/ });
    expect(message).to.contain('file system');
    await database.delete();
    await scene.client.delete(RESOURCES.persistentVolumeClaims, metadata);
  });

  it('image without the engine: tells what it lacks', async () => {
    const { stack } = await e2eImages();
    const versionCfg = { engineImage: stack.name };
    const database = await scene.newCluster('image', localSpec(0, { versionCfg }));
    await database.condition('Ready', { status: 'False', says: /no program postgres/ }, 45_000);
    await database.delete();
  });

  it('image that cannot be had: names it', async () => {
    const versionCfg = { engineImage: 'localhost/no-such-engine:1' };
    const database = await scene.newCluster('pull', localSpec(0, { versionCfg }));
    await database.condition('Ready', { status: 'False', says: /no-such-engine/ }, 30_000);
    await database.delete();
  });

  it('no node fits: tells why as the scheduler does; runs when one does', async () => {
    const nodes = scene.local.nodes.map(node => node.name);
    let database;
    try {
      await scene.kubectl.run('cordon', ...nodes);
      database = await scene.newCluster('nowhere', localSpec(0));
      await database.condition('Ready', { status: 'False', says: /0\/3 nodes are available.*unschedulable/ });
    } finally {
      await scene.kubectl.run('uncordon', ...nodes);
    }
    await database.ready();
    await database.delete();
  });

  it('the sample of the original is accepted unchanged and told what this site lacks', async () => {
    const sample = scene.database('mpdcluster-sample', 'default');
    try {
      await scene.kubectl.run('apply', '--filename', SAMPLE);
      const claim = /sharePvcName: (\S+)/.exec(await readFile(SAMPLE, 'utf8'))?.[1] ?? '';
      const message = await sample.condition('Accepted', { status: 'False', says: new RegExp(claim) });
      expect(message).to.contain('create it');
      const volume = await sharedVolume(scene, claim, 'default');
      try {
        // The class of the sample wants more memory than a small machine has; else its image is not there.
        await sample.condition('Ready', { status: 'False', says: /Insufficient|polardb_pg_binary/ }, 45_000);
      } finally {
        await sample.delete();
        await sample.gone();
        await volume.remove();
      }
    } finally {
      await sample.delete();
    }
  });
});
