import { App, Chart, Testing } from 'cdk8s';
import { expect } from 'chai';
import { ACCEPTED, ORIGINAL_SAMPLE, REFUSED } from '../../crds/testing/cluster-cases.ts';
import { MpdCluster, type MpdClusterProps } from './mpd-cluster.ts';

const chart = () => new Chart(new App(), 'shop', { namespace: 'shop', disableResourceNameHashes: true });

describe('MpdCluster', () => {
  it('is the cluster as written, in the namespace of its chart', () => {
    const shop = chart();
    const orders = new MpdCluster(shop, 'orders', {
      metadata: { labels: { team: 'shop' } },
      dbType: 'postgresql',
      followerNum: 1,
      classInfo: { className: 'x4.small' },
      storage: { size: '20Gi' },
    });
    expect(Testing.synth(shop)).to.deep.equal([
      {
        apiVersion: 'mpd.polardb.aliyun.com/v1',
        kind: 'MPDCluster',
        metadata: { name: 'orders', namespace: 'shop', labels: { team: 'shop' } },
        spec: { dbType: 'postgresql', followerNum: 1, classInfo: { className: 'x4.small' }, storage: { size: '20Gi' } },
      },
    ]);
    expect([orders.rwServiceName, orders.roServiceName, orders.appSecretName]).to.deep.equal([
      'orders-rw',
      'orders-ro',
      'orders-app',
    ]);
  });

  it('takes the sample of the original', () => {
    const shop = chart();
    new MpdCluster(shop, 'orders', { ...ORIGINAL_SAMPLE, metadata: { name: 'mpdcluster-rwo', namespace: 'default' } });
    const [{ metadata, spec }] = Testing.synth(shop) as [{ metadata: unknown; spec: unknown }];
    expect(metadata).to.deep.equal({ name: 'mpdcluster-rwo', namespace: 'default' });
    expect(spec).to.deep.equal(ORIGINAL_SAMPLE);
  });

  for (const [what, spec] of ACCEPTED) {
    it(`synthesizes ${what}`, () => {
      const shop = chart();
      new MpdCluster(shop, 'orders', spec as MpdClusterProps);
      expect(Testing.synth(shop)).to.have.length(1);
    });
  }

  for (const [what, field, spec] of REFUSED) {
    it(`does not synthesize ${what}`, () => {
      const shop = chart();
      new MpdCluster(shop, 'orders', spec as MpdClusterProps);
      expect(() => Testing.synth(shop) as unknown).to.throw(`MPDCluster orders: ${field}: `);
    });
  }

  it('names the name when that is wrong', () => {
    const shop = chart();
    new MpdCluster(shop, '1st', { ...ORIGINAL_SAMPLE });
    expect(() => Testing.synth(shop) as unknown).to.throw('metadata.name must begin with a letter');
  });
});
