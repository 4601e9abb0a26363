import { expect } from 'chai';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeClient } from './client.ts';
import { findCredentials, inClusterCredentials, isSameConnection, isSameCredentials } from './credentials.ts';
import { RESOURCES } from './resources.ts';
import { makeServerCertificate } from './testing/certificates.ts';
import { FakeServer } from './testing/fake-server.ts';
import { configMap } from './testing/support.ts';

describe('credentials', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'credentials-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('of a pod follow the rotation of token and authority, with the first call after it', async () => {
    const [before, after] = await Promise.all([makeServerCertificate(), makeServerCertificate()]);
    const server = new FakeServer(before);
    await server.start();
    const mount = (token: string, ca: string): Promise<unknown> =>
      Promise.all([writeFile(join(folder, 'token'), `${token}\n`), writeFile(join(folder, 'ca.crt'), ca)]);
    server.token = 'one';
    await mount('one', before.ca);
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(server.port) };
    const client = new KubeClient({ credentials: inClusterCredentials(env, folder), fieldManager: 'test' });
    await client.create(RESOURCES.configMaps, configMap('a'));
    server.token = 'two';
    server.rotate(after);
    await mount('two', after.ca);
    await client.create(RESOURCES.configMaps, configMap('b'));
    await client.close();
    await server.stop();
    expect(server.store.objects.size).to.equal(2);
  });

  it('of a pod need a pod', () => {
    expect(() => inClusterCredentials({}, folder)).to.throw('not in a pod');
    expect(() => inClusterCredentials({ KUBERNETES_SERVICE_HOST: 'fd00::1' }, folder)).not.to.throw();
  });

  it('a file caught in its rotation is no failure while there is something that worked', async () => {
    const server = new FakeServer();
    const url = await server.start();
    let reads = 0;
    const credentials = (): Promise<{ server: string; headers: Record<string, string>; tls: object }> =>
      reads++ === 0
        ? Promise.resolve({ server: url, headers: {}, tls: {} })
        : Promise.reject(new Error('half written'));
    const client = new KubeClient({ credentials, fieldManager: 'test', refreshMs: 0 });
    await client.create(RESOURCES.configMaps, configMap('a'));
    await client.create(RESOURCES.configMaps, configMap('b'));
    await client.close();
    await server.stop();
    expect(reads).to.equal(2);
  });

  it('of a kubeconfig: the wanted context, its token and its authority, read anew each time', async () => {
    const file = join(folder, 'config');
    const write = (token: string): Promise<void> => writeFile(file, kubeconfig(token));
    await write('one');
    const source = findCredentials({ kubeconfig: file, context: 'second' });
    const first = await source();
    expect([first.server, first.headers.authorization, String(first.tls.ca)]).to.deep.equal([
      'https://second.example.org',
      'Bearer one',
      'authority',
    ]);
    await write('two');
    const second = await source();
    expect(second.headers.authorization).to.equal('Bearer two');
    expect([isSameConnection(first, second), isSameCredentials(first, second)]).to.deep.equal([true, false]);
  });

  it('of a kubeconfig that names files: paths are relative to it', async () => {
    await mkdir(join(folder, 'pki'));
    await writeFile(join(folder, 'pki/ca.crt'), 'from a file');
    const file = join(folder, 'config');
    await writeFile(
      file,
      kubeconfig('one').replace(/certificate-authority-data: .*/, 'certificate-authority: pki/ca.crt'),
    );
    const { tls } = await findCredentials({ kubeconfig: file, context: 'second' })();
    expect(String(tls.ca)).to.equal('from a file');
  });
});

function kubeconfig(token: string): string {
  const authority = Buffer.from('authority').toString('base64');
  return `
apiVersion: v1
kind: Config
current-context: first
clusters:
- {name: first, cluster: {server: 'https://first.example.org'}}
- name: second
  cluster:
    server: https://second.example.org/
    certificate-authority-data: ${authority}
users:
- {name: me, user: {token: ${token}}}
contexts:
- {name: first, context: {cluster: first, user: me}}
- {name: second, context: {cluster: second, user: me}}
`;
}
