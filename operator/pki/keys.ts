import { webcrypto } from 'node:crypto';
import { loadX509 } from './x509.ts';

/** Certificate and private key as PEM; the key is PKCS #8. */
export interface KeyedCertificate {
  certificate: string;
  key: string;
}

/** What issuing takes from outside. */
export interface PkiContext {
  now: Date;
  /** Source of keys and serial numbers; the machine's own when absent. */
  crypto?: webcrypto.Crypto;
}

export const DAY_MS = 24 * 60 * 60 * 1000;

/** Certificates begin a day early: a host whose clock is behind accepts a fresh one. */
export const BACKDATE_MS = 1 * DAY_MS;

export const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
export const SIGNING_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' };

export const cryptoOf = ({ crypto }: PkiContext): webcrypto.Crypto => crypto ?? webcrypto;

export async function newKeys(context: PkiContext): Promise<webcrypto.CryptoKeyPair> {
  return cryptoOf(context).subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
}

/** 128 random bits, positive, as hex (RFC 5280 4.1.2.2). */
export function newSerial(context: PkiContext): string {
  const bytes = cryptoOf(context).getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

export async function keyToPem(key: webcrypto.CryptoKey, context: PkiContext): Promise<string> {
  const { PemConverter } = await loadX509();
  return `${PemConverter.encode(await cryptoOf(context).subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

export async function keyFromPem(pem: string, context: PkiContext): Promise<webcrypto.CryptoKey> {
  const { PemConverter } = await loadX509();
  return cryptoOf(context).subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), KEY_ALGORITHM, false, ['sign']);
}
