import { expect } from 'chai';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { parse } from 'yaml';
import { renderKubeconfig } from './kubeconfig.ts';
import { ensurePki, readCredentials } from './pki.ts';

describe('certificates of a local cluster', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pki-'));
    await ensurePki(directory, [
      { file: 'server', commonName: 'server', dns: ['localhost'], ips: ['10.0.0.1'] },
      { file: 'admin', commonName: 'admin', organization: 'system:masters' },
    ]);
  });
  after(() => rm(directory, { recursive: true }));

  it('are signed by the authority, for the addresses asked, and fit their keys', async () => {
    const { ca, certificate, key } = await readCredentials(directory, 'server');
    const parsed = new X509Certificate(certificate);
    expect(parsed.verify(new X509Certificate(ca).publicKey)).to.be.true;
    expect(parsed.checkIP('10.0.0.1')).to.equal('10.0.0.1');
    expect(parsed.checkHost('localhost')).to.equal('localhost');
    expect(() => createSecureContext({ ca, cert: certificate, key })).not.to.throw();
  });

  it('carry user and group of a client', async () => {
    const { certificate } = await readCredentials(directory, 'admin');
    expect(new X509Certificate(certificate).subject.split('\n')).to.have.members(['CN=admin', 'O=system:masters']);
  });

  it('stay as they are when asked for again', async () => {
    const all = async (): Promise<string[]> =>
      Promise.all((await readdir(directory)).map(file => readFile(join(directory, file), 'utf8')));
    const before = await all();
    await ensurePki(directory, [{ file: 'admin', commonName: 'admin', organization: 'system:masters' }]);
    expect(await all()).to.deep.equal(before);
  });

  it('make a kubeconfig that needs no other file', async () => {
    const credentials = await readCredentials(directory, 'admin');
    const config = parse(renderKubeconfig('e2e', 'https://10.0.0.1:6443', credentials)) as {
      'current-context': string;
      users: { user: Record<string, string> }[];
    };
    expect(config['current-context']).to.equal('e2e');
    const key = config.users[0]?.user['client-key-data'] ?? '';
    expect(Buffer.from(key, 'base64').toString()).to.equal(credentials.key);
  });
});
