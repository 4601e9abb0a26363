import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { webcrypto, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { promisify } from 'node:util';
import { createCa } from './ca.ts';
import type { KeyedCertificate } from './keys.ts';
import { DAY_MS } from './keys.ts';
import { issueLeaf } from './leaf.ts';

const run = promisify(execFile);
const now = new Date();
const daysFromNow = (days: number): Date => new Date(now.getTime() + days * DAY_MS);
const server = { subject: { part: 'agent', name: 'orders-1-2' }, sans: ['orders-rw.shop.svc', '127.0.0.1', 'fd00::1'] };
const client = { subject: { part: 'operator', name: 'operator' }, sans: [] };

/** Both ends verify; resolves with the subject that the server saw, rejects with what either end objected to. */
async function handshake(own: KeyedCertificate, peer: KeyedCertificate, ca: string, dialled: string): Promise<string> {
  const server = tls.createServer({ cert: own.certificate, key: own.key, ca, requestCert: true });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const options = { cert: peer.certificate, key: peer.key, ca, port, host: '127.0.0.1', servername: dialled };
  const open: Duplex[] = [];
  try {
    return await new Promise((resolve, reject) => {
      server.on('connection', (it: Duplex) => open.push(it)).on('tlsClientError', reject);
      server.on('secureConnection', it => {
        const { O, OU, CN } = it.getPeerCertificate().subject;
        resolve([O, OU, CN].join());
      });
      open.push(tls.connect(options).on('error', reject));
    });
  } finally {
    for (const it of open) it.destroy();
    server.close();
  }
}

async function rejection(of: Promise<unknown>): Promise<string> {
  return of.then(
    () => 'accepted',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

describe('certificates', () => {
  let ca: KeyedCertificate;
  let otherCa: KeyedCertificate;
  let agent: KeyedCertificate;
  let operator: KeyedCertificate;

  before(async () => {
    [ca, otherCa] = await Promise.all([createCa({ now }), createCa({ now })]);
    [agent, operator] = await Promise.all([issueLeaf(ca, server, { now }), issueLeaf(ca, client, { now })]);
  });

  it('serve both ends of a real connection, and carry who it is', async () => {
    expect(await handshake(agent, operator, ca.certificate, 'orders-rw.shop.svc')).to.equal(
      'polardb-stack,operator,operator',
    );
  });

  it('are refused under a name they do not hold', async () => {
    const refusal = await rejection(handshake(agent, operator, ca.certificate, 'billing-rw.shop.svc'));
    expect(refusal).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('are refused at either end when another authority issued them', async () => {
    const [theirs, them] = await Promise.all([
      issueLeaf(otherCa, server, { now }),
      issueLeaf(otherCa, client, { now }),
    ]);
    const name = 'orders-rw.shop.svc';
    expect(await rejection(handshake(theirs, operator, ca.certificate, name))).to.match(
      /UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET/,
    );
    expect(await rejection(handshake(agent, them, ca.certificate, name))).to.not.equal('accepted');
  });

  it('are accepted from a bundle of two authorities', async () => {
    const bundle = otherCa.certificate + ca.certificate;
    expect(await handshake(agent, operator, bundle, 'orders-rw.shop.svc')).to.contain('operator');
  });

  it('are refused after their end', async () => {
    const expired = await issueLeaf(ca, { ...server, lifeDays: 7 }, { now: daysFromNow(-8) });
    expect(await rejection(handshake(expired, operator, ca.certificate, 'orders-rw.shop.svc'))).to.equal(
      'CERT_HAS_EXPIRED',
    );
  });

  it('are good at a host whose clock is 23 hours behind, and not one 25 hours behind', async () => {
    const ahead = (hours: number): Promise<KeyedCertificate> =>
      issueLeaf(ca, server, { now: new Date(now.getTime() + (hours / 24) * DAY_MS) });
    const name = 'orders-rw.shop.svc';
    expect(await handshake(await ahead(23), operator, ca.certificate, name)).to.contain('operator');
    expect(await rejection(handshake(await ahead(25), operator, ca.certificate, name))).to.equal('CERT_NOT_YET_VALID');
  });

  it('satisfy openssl: chain, purposes, names', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'pki-'));
    try {
      const files = { 'ca.pem': ca.certificate, 'leaf.pem': agent.certificate, 'leaf.key': agent.key };
      await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(dir, name), text)));
      const chain = ['verify', '-x509_strict', '-CAfile', 'ca.pem'];
      for (const purpose of ['sslserver', 'sslclient']) {
        const { stdout } = await run('openssl', [...chain, '-purpose', purpose, 'leaf.pem'], { cwd: dir });
        expect(stdout).to.contain('leaf.pem: OK');
      }
      await run('openssl', [...chain, '-verify_hostname', 'orders-rw.shop.svc', 'leaf.pem'], { cwd: dir });
      await run('openssl', [...chain, '-verify_ip', 'fd00::1', 'leaf.pem'], { cwd: dir });
      const key = await run('openssl', ['pkey', '-in', 'leaf.key', '-text', '-noout'], { cwd: dir });
      expect(key.stdout).to.contain('prime256v1');
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('live 90 days, the authority 10 years, and no leaf outlives its authority', async () => {
    const days = (pem: string): number => {
      const { validFromDate, validToDate } = new X509Certificate(pem);
      return Math.round((validToDate.getTime() - validFromDate.getTime()) / DAY_MS);
    };
    expect([days(agent.certificate), days(ca.certificate)]).to.deep.equal([91, 3651]);
    const late = await issueLeaf(ca, server, { now: daysFromNow(3640) });
    expect(days(late.certificate)).to.equal(11);
  });

  it('take randomness from the source that is passed', async () => {
    let drawn = 0;
    const crypto = {
      subtle: webcrypto.subtle,
      getRandomValues: (bytes: Uint8Array) => ((drawn += bytes.length), bytes.fill(255)),
    } as unknown as webcrypto.Crypto;
    const { certificate } = await createCa({ now, crypto });
    expect(drawn).to.be.at.least(16);
    expect(new X509Certificate(certificate).serialNumber).to.match(/^7F(FF){15}$/);
  });

  for (const [what, request] of [
    ['6 days', { ...server, lifeDays: 6 }],
    ['366 days', { ...server, lifeDays: 366 }],
    ['no number of days', { ...server, lifeDays: NaN }],
    ['a name with a space', { ...server, sans: ['a b'] }],
    ['an empty name', { ...server, sans: [''] }],
    ['no part', { ...server, subject: { part: '', name: 'x' } }],
  ] as const) {
    it(`are not issued for ${what}`, async () => {
      const refusal: unknown = await issueLeaf(ca, request, { now }).catch((error: unknown) => error);
      expect(refusal).to.be.instanceOf(RangeError);
    });
  }
});
