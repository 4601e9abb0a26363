import { expect } from 'chai';
import { applyIfChanged } from './apply.ts';
import type { KubeClient } from './client.ts';
import { RESOURCES, type ConfigMap, type Secret } from './resources.ts';
import { configMap } from './testing/support.ts';

/** Field ownership is the server's part: e2e/integration has it. Here: when is a call made, and with what. */
describe('apply when changed', () => {
  let sent: (ConfigMap | Secret)[];
  const client = {
    apply: (_type: unknown, object: ConfigMap | Secret) => {
      sent.push(object);
      return Promise.resolve(object);
    },
  } as unknown as Pick<KubeClient, 'apply'>;
  const apply = (desired: ConfigMap, current?: ConfigMap): Promise<{ object: ConfigMap; reason: string | undefined }> =>
    applyIfChanged(client, { type: RESOURCES.configMaps, desired, current });

  beforeEach(() => {
    sent = [];
  });

  it('makes an absent object, and no call for the same content in another order', async () => {
    const { object, reason } = await apply(configMap('a', { x: '1', y: '2' }));
    expect(reason).to.equal('absent');
    const again = await apply(configMap('a', { y: '2', x: '1' }), object);
    expect([again.reason, again.object, sent.length]).to.deep.equal([undefined, object, 1]);
  });

  it('says why it writes', async () => {
    const { object } = await apply(configMap('a', { x: '1', y: '2' }));
    expect((await apply(configMap('a', { x: '1' }), object)).reason).to.equal('changed');
    const drifted = { ...object, data: { x: '9', y: '2' } };
    expect((await apply(configMap('a', { x: '1', y: '2' }), drifted)).reason).to.equal('drift of data.x');
    expect(sent.length).to.equal(3);
  });

  it('does not mind what others added, nor a version', async () => {
    const { object } = await apply(configMap('a', { x: '1' }));
    const live = { ...object, data: { x: '1', foreign: '2' } };
    live.metadata = { ...live.metadata, resourceVersion: '7', labels: { foreign: 'label' } };
    const desired = configMap('a', { x: '1' });
    desired.metadata.resourceVersion = '5';
    expect((await apply(desired, live)).reason).to.equal(undefined);
  });

  it('sends stringData as data, because only that can be compared', async () => {
    const metadata = { name: 's', namespace: 'ns' };
    const desired: Secret = { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { password: 'x' } };
    const request = { type: RESOURCES.secrets, desired };
    const { object } = await applyIfChanged(client, { ...request, current: undefined });
    expect(JSON.stringify(sent[0])).not.to.contain('stringData');
    expect(object.data).to.deep.equal({ password: 'eA==' });
    expect((await applyIfChanged(client, { ...request, current: object })).reason).to.equal(undefined);
  });
});
