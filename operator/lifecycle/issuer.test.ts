import { expect } from 'chai';
import { RESOURCES, type Secret } from '../kube/resources.ts';
import { MemoryApi } from '../kube/testing/memory-api.ts';
import { silentLogger } from '../kube/testing/support.ts';
import { CA_SECRET } from '../model/names.ts';
import { createCa } from '../pki/ca.ts';
import { caData } from '../pki/secret.ts';
import { CaIssuer } from './issuer.ts';

const DAY_MS = 24 * 3_600_000;
const subject = { part: 'agent', name: 'orders-1-2' } as const;

describe('a certificate that was found good, by the same copy of its Secret', () => {
  let api: MemoryApi;
  let issuer: CaIssuer;
  let now: Date;
  let current: Secret;

  const names = ['orders-rw'];
  beforeEach(async () => {
    now = new Date('2026-01-01T00:00:00Z');
    api = new MemoryApi(() => now);
    issuer = new CaIssuer({ client: api.client(), log: silentLogger, now: () => now, systemNamespace: 'system' });
    const data = await issuer.secretData({ subject, names });
    current = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tls' }, ...(data && { data }) };
    expect(await issuer.secretData({ current, subject, names })).to.equal(undefined);
  });

  it('stays as it is', async () => {
    expect(await issuer.secretData({ current, subject, names })).to.equal(undefined);
  });

  it('is renewed when its time has come', async () => {
    now = new Date(now.getTime() + 70 * DAY_MS);
    expect(await issuer.secretData({ current, subject, names })).to.have.property('tls.crt');
  });

  it('is issued anew for another name', async () => {
    const data = await issuer.secretData({ current, subject, names: [...names, 'orders-ro'] });
    expect(data?.['tls.crt']).not.to.equal(current.data?.['tls.crt']);
  });

  it('needs an authority that can be read, and says where it lies', async () => {
    const ref = { namespace: 'system', name: CA_SECRET };
    const crt = Buffer.from('no certificate').toString('base64');
    await api.client().patchMerge(RESOURCES.secrets, ref, { data: { 'tls.crt': crt } });
    issuer.forget();
    const failed = await issuer.secretData({ current, subject, names }).catch((error: unknown) => error as Error);
    expect((failed as Error).message).to.match(/^Secret system\/polardb-stack-ca holds no authority/);
  });

  it('is issued anew by another authority', async () => {
    const store = { current: await createCa({ now }) };
    const ref = { namespace: 'system', name: CA_SECRET };
    await api.client().patchMerge(RESOURCES.secrets, ref, { data: caData(store) });
    issuer.forget();
    const data = await issuer.secretData({ current, subject, names });
    expect(data?.['ca.crt']).not.to.equal(current.data?.['ca.crt']);
  });
});
