import type { KeyedCertificate } from './keys.ts';

/** `type` of a Secret with a certificate. */
export const TLS_SECRET_TYPE = 'kubernetes.io/tls';

/** A certificate with its key and the authorities that its owner trusts (one after the other, PEM). */
export interface TlsFiles extends KeyedCertificate {
  bundle: string;
}

/** `data` of the Secret: `tls.crt`, `tls.key`, `ca.crt`, base64. */
export const tlsData = ({ certificate, key, bundle }: TlsFiles): Record<string, string> => ({
  'tls.crt': encode(certificate),
  'tls.key': encode(key),
  'ca.crt': encode(bundle),
});

/** @returns undefined when one of the three is missing */
export function readTlsData(data: Readonly<Record<string, string>> | undefined): TlsFiles | undefined {
  const { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': bundle } = data ?? {};
  if (!certificate || !key || !bundle) return undefined;
  return { certificate: decode(certificate), key: decode(key), bundle: decode(bundle) };
}

/** The authority and, during a rotation, the one that comes or the one that goes. */
export interface CaStore {
  current: KeyedCertificate;
  /** Trusted already, signs nothing yet. */
  next?: KeyedCertificate;
  /** Signs nothing any more, trusted until the last leaf it issued has gone. */
  previous?: string;
  /** Since when all Secrets are as the present phase of a rotation wants them, ISO 8601. */
  settledAt?: string;
}

/** `data` of the authority's Secret; `ca.crt` is the bundle that everybody trusts. */
export function caData(store: CaStore): Record<string, string> {
  const { current, next, previous, settledAt } = store;
  const data = tlsData({ ...current, bundle: bundleOf(store) });
  if (next) Object.assign(data, { 'next.crt': encode(next.certificate), 'next.key': encode(next.key) });
  if (previous) data['previous.crt'] = encode(previous);
  if (settledAt) data['settled-at'] = encode(settledAt);
  return data;
}

/** @returns undefined when there is no authority in it */
export function readCaData(data: Readonly<Record<string, string>> | undefined): CaStore | undefined {
  const current = readTlsData(data);
  if (!data || !current) return undefined;
  const { 'next.crt': certificate, 'next.key': key, 'previous.crt': previous, 'settled-at': settledAt } = data;
  return {
    current: { certificate: current.certificate, key: current.key },
    ...(certificate && key ? { next: { certificate: decode(certificate), key: decode(key) } } : {}),
    ...(previous ? { previous: decode(previous) } : {}),
    ...(settledAt ? { settledAt: decode(settledAt) } : {}),
  };
}

/** All authorities to trust, the signing one first. */
export const bundleOf = ({ current, next, previous }: CaStore): string =>
  [current.certificate, next?.certificate, previous].filter(pem => pem !== undefined).join('');

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (text: string): string => Buffer.from(text, 'base64').toString();
