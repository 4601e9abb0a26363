import { expect } from 'chai';
import { RESOURCES, type Secret } from '../kube/resources.ts';
import { MemoryApi } from '../kube/testing/memory-api.ts';
import { silentLogger } from '../kube/testing/support.ts';
import { DAEMON_TLS_SECRET } from '../model/host.ts';
import { CA_SECRET, CLUSTER_MANAGER_TLS_SECRET } from '../model/names.ts';
import { createCa } from '../pki/ca.ts';
import { readCertificate } from '../pki/renewal.ts';
import { caData, readCaData, readTlsData } from '../pki/secret.ts';
import { CaIssuer } from './issuer.ts';
import { keepPartCertificate } from './part-certificate.ts';

const DAY_MS = 24 * 3_600_000;

describe('certificate of a part', () => {
  let api: MemoryApi;
  let issuer: CaIssuer;
  let now: Date;

  beforeEach(() => {
    now = new Date('2026-01-01T00:00:00Z');
    api = new MemoryApi(() => now);
    issuer = new CaIssuer({ client: api.client(), log: silentLogger, now: () => now, systemNamespace: 'system' });
  });

  const found = (name: string): Secret | undefined =>
    api.find(RESOURCES.secrets, { namespace: 'system', name }) as Secret | undefined;
  const keep = async (name = CLUSTER_MANAGER_TLS_SECRET): Promise<Secret> => {
    const tools = { client: api.client(), issuer, systemNamespace: 'system' };
    await keepPartCertificate(tools, { name, current: found(name) });
    return found(name)!;
  };

  it('is there before any cluster is, with the authority that signed it, and without the key of that', async () => {
    const { type, data } = await keep();
    expect(type).to.equal('kubernetes.io/tls');
    const { subject, subjectAltName } = readCertificate(readTlsData(data)!.certificate)!;
    expect(subject).to.contain('OU=cluster-manager');
    expect(subjectAltName).to.contain('DNS:polardb-stack-cluster-manager.system.svc');
    const authority = readCaData(found(CA_SECRET)?.data)!;
    expect(readTlsData(data)!.bundle).to.equal(authority.current.certificate);
    expect(JSON.stringify(data)).not.to.contain(Buffer.from(authority.current.key).toString('base64'));
  });

  it('says which part it is of', async () => {
    const { subject, subjectAltName } = readCertificate(
      readTlsData((await keep(DAEMON_TLS_SECRET)).data)!.certificate,
    )!;
    expect(subject).to.contain('OU=daemon');
    expect(subjectAltName).to.contain('DNS:polardb-stack-daemon.system');
  });

  it('is not written again while it is good', async () => {
    await keep();
    const before = api.version;
    await keep();
    expect(api.version).to.equal(before);
  });

  it('is renewed in the last third of its life', async () => {
    const first = await keep();
    now = new Date(now.getTime() + 70 * DAY_MS);
    expect((await keep()).data).not.to.deep.equal(first.data);
  });

  it('keeps its key beside an authority that is being introduced', async () => {
    const first = await keep();
    const ca = found(CA_SECRET)!;
    const store = { ...readCaData(ca.data)!, next: await createCa({ now }) };
    await api.client().replace(RESOURCES.secrets, { ...ca, data: caData(store) });
    issuer.forget();
    const second = await keep();
    expect(second.data?.['tls.key']).to.equal(first.data?.['tls.key']);
    expect(readTlsData(second.data)!.bundle).to.contain(store.next.certificate);
  });
});
