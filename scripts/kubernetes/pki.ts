import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const day = 24 * 60 * 60 * 1000;

/** One certificate: who carries it, and at which addresses it serves (none: a client only). */
export interface CertificateRequest {
  /** Name of its files. */
  file: string;
  commonName: string;
  organization?: string;
  dns?: readonly string[];
  ips?: readonly string[];
}

interface Authority {
  certificate: x509.X509Certificate;
  key: webcrypto.CryptoKey;
}

/** PEM texts of one certificate. */
export interface Credentials {
  ca: string;
  certificate: string;
  key: string;
}

/** Makes what is missing of the cluster's authority, its certificates and the key that signs service account tokens. */
export async function ensurePki(directory: string, requests: readonly CertificateRequest[]): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const authority = await ensureAuthority(directory);
  await Promise.all(requests.map(request => ensureCertificate(directory, authority, request)));
  if (!existsSync(join(directory, 'service-accounts.pub'))) {
    const keys = await newKeys();
    await store(directory, 'service-accounts.key', await privatePem(keys.privateKey));
    const spki = await webcrypto.subtle.exportKey('spki', keys.publicKey);
    await store(directory, 'service-accounts.pub', x509.PemConverter.encode(spki, 'PUBLIC KEY'));
  }
}

export async function readCredentials(directory: string, file: string): Promise<Credentials> {
  const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8');
  const [ca, certificate, key] = await Promise.all([read('ca.crt'), read(`${file}.crt`), read(`${file}.key`)]);
  return { ca, certificate, key };
}

async function ensureAuthority(directory: string): Promise<Authority> {
  if (!existsSync(join(directory, 'ca.crt'))) await makeAuthority(directory);
  const { certificate, key } = await readCredentials(directory, 'ca');
  const der = x509.PemConverter.decodeFirst(key);
  return {
    certificate: new x509.X509Certificate(certificate),
    key: await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']),
  };
}

async function makeAuthority(directory: string): Promise<void> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=local-kubernetes',
    keys,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  await store(directory, 'ca.key', await privatePem(keys.privateKey));
  await store(directory, 'ca.crt', certificate.toString('pem'));
}

async function ensureCertificate(directory: string, authority: Authority, request: CertificateRequest): Promise<void> {
  const { file, commonName, organization, dns = [], ips = [] } = request;
  if (existsSync(join(directory, `${file}.crt`))) return;
  const keys = await newKeys();
  const names: x509.JsonGeneralNames = [
    ...dns.map(value => ({ type: 'dns' as const, value })),
    ...ips.map(value => ({ type: 'ip' as const, value })),
  ];
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: organization === undefined ? `CN=${commonName}` : `CN=${commonName},O=${organization}`,
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(names.length > 0 ? [serverAuth, clientAuth] : [clientAuth]),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  await store(directory, `${file}.key`, await privatePem(keys.privateKey));
  await store(directory, `${file}.crt`, certificate.toString('pem'));
}

/** From a day ago, against clocks that go wrong, for ten years. */
function validity(): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - day), notAfter: new Date(now + 3650 * day) };
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

/** Whole or not at all: a kill in between must not leave half a key. */
async function store(directory: string, name: string, text: string): Promise<void> {
  const path = join(directory, name);
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
