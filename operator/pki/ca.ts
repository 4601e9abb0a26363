import { BACKDATE_MS, cryptoOf, DAY_MS, keyToPem, newKeys, newSerial, SIGNING_ALGORITHM } from './keys.ts';
import type { KeyedCertificate, PkiContext } from './keys.ts';
import { distinguishedName } from './subject.ts';
import { loadX509 } from './x509.ts';

const LIFE_DAYS = 3650;

/**
 * A new certificate authority: ECDSA P-256, 10 years, signs leafs only. Its name holds its serial number, so that the
 * authorities of a rotation are told apart by everybody who verifies.
 */
export async function createCa(context: PkiContext): Promise<KeyedCertificate> {
  const x509 = await loadX509();
  const keys = await newKeys(context);
  const serialNumber = newSerial(context);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber,
      name: distinguishedName({ part: 'ca', name: `polardb-stack-ca-${serialNumber.slice(0, 16)}` }),
      notBefore: new Date(context.now.getTime() - BACKDATE_MS),
      notAfter: new Date(context.now.getTime() + LIFE_DAYS * DAY_MS),
      signingAlgorithm: SIGNING_ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, cryptoOf(context)),
      ],
    },
    cryptoOf(context),
  );
  return { certificate: `${certificate.toString('pem')}\n`, key: await keyToPem(keys.privateKey, context) };
}
