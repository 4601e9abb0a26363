import { App, Chart, Testing } from 'cdk8s';
import { expect } from 'chai';
import { MpdOperation } from './mpd-operation.ts';

const chart = () => new Chart(new App(), 'shop', { namespace: 'shop', disableResourceNameHashes: true });

describe('MpdOperation', () => {
  it('is the operation as written, in the namespace of its chart', () => {
    const shop = chart();
    new MpdOperation(shop, 'switch-1', {
      target: { name: 'orders' },
      type: 'switchRw',
      switchRw: { instance: '1003' },
    });
    expect(Testing.synth(shop)).to.deep.equal([
      {
        apiVersion: 'mpd.polardb.aliyun.com/v1',
        kind: 'MPDOperation',
        metadata: { name: 'switch-1', namespace: 'shop' },
        spec: { target: { name: 'orders' }, type: 'switchRw', switchRw: { instance: '1003' } },
      },
    ]);
  });

  it('is not synthesized when it lacks what its type needs', () => {
    const shop = chart();
    new MpdOperation(shop, 'switch-1', { target: { name: 'orders' }, type: 'switchRw' });
    expect(() => Testing.synth(shop) as unknown).to.throw(
      'MPDOperation switch-1: spec.switchRw: belongs to type switchRw and is needed there',
    );
  });
});
