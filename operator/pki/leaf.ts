import { BACKDATE_MS, cryptoOf, DAY_MS, keyFromPem, keyToPem, newKeys, newSerial, SIGNING_ALGORITHM } from './keys.ts';
import type { KeyedCertificate, PkiContext } from './keys.ts';
import { parseSans } from './sans.ts';
import { distinguishedName, type Subject } from './subject.ts';
import { loadX509 } from './x509.ts';

export interface LeafRequest {
  subject: Subject;
  /** DNS names and IP addresses under which it is dialled; empty for one that only dials. */
  sans: readonly string[];
  /** 7 to 365. @default 90 */
  lifeDays?: number;
}

export const LEAF_DAYS = { least: 7, usual: 90, most: 365 };

/**
 * A certificate for both ends of a connection (serverAuth, clientAuth), signed by `ca`, which it never outlives.
 * @throws RangeError when a name or the life is out of bounds
 */
export async function issueLeaf(
  ca: KeyedCertificate,
  request: LeafRequest,
  context: PkiContext,
): Promise<KeyedCertificate> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(ca.certificate);
  const keys = await newKeys(context);
  const crypto = cryptoOf(context);
  const sans = parseSans(request.sans);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: newSerial(context),
      subject: distinguishedName(request.subject),
      issuer: issuer.subject,
      ...validity(request.lifeDays ?? LEAF_DAYS.usual, issuer.notAfter, context.now),
      signingAlgorithm: SIGNING_ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: await keyFromPem(ca.key, context),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
        await x509.AuthorityKeyIdentifierExtension.create(issuer, false, crypto),
        ...(sans.length > 0 ? [new x509.SubjectAlternativeNameExtension(sans)] : []),
      ],
    },
    crypto,
  );
  return { certificate: `${certificate.toString('pem')}\n`, key: await keyToPem(keys.privateKey, context) };
}

function validity(days: number, caNotAfter: Date, now: Date): { notBefore: Date; notAfter: Date } {
  if (!(days >= LEAF_DAYS.least && days <= LEAF_DAYS.most)) {
    throw new RangeError(`a certificate lives ${LEAF_DAYS.least} to ${LEAF_DAYS.most} days, not ${days}`);
  }
  const notAfter = Math.min(now.getTime() + days * DAY_MS, caNotAfter.getTime());
  return { notBefore: new Date(now.getTime() - BACKDATE_MS), notAfter: new Date(notAfter) };
}
