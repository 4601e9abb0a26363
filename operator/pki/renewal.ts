import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyedCertificate } from './keys.ts';
import { isSameSans, parsePrintedSans, parseSans } from './sans.ts';
import type { TlsFiles } from './secret.ts';
import { printedSubject, type Subject } from './subject.ts';

/** What a leaf should be, and what is there. */
export interface LeafView {
  /** Undefined when the Secret or one of its parts is missing. */
  stored?: TlsFiles;
  subject: Subject;
  sans: readonly string[];
  /** Certificate of the authority that signs now. */
  ca: string;
  /** All authorities to trust. */
  bundle: string;
  now: Date;
}

/** `reissue`: new key and certificate. `rewrite`: the same ones beside a new bundle. */
export type LeafVerdict =
  | { action: 'keep' }
  | { action: 'reissue'; reason: ReissueReason; message: string }
  | { action: 'rewrite'; message: string };

export type ReissueReason =
  | 'Missing'
  | 'Unparsable'
  | 'KeyMismatch'
  | 'OtherAuthority'
  | 'SubjectDiffers'
  | 'NamesDiffer'
  | 'NotYetValid'
  | 'Expiring';

/** Is there something to do about this leaf? The first rule that objects gives the reason. */
export function decideLeaf(view: LeafView): LeafVerdict {
  if (!view.stored) return reissue('Missing', 'there is none yet');
  const parsed = parse(view.stored);
  if (!parsed) return reissue('Unparsable', 'certificate or key cannot be read');
  for (const { reason, objects, message } of rules) {
    if (objects(parsed, view)) return reissue(reason, message);
  }
  if (view.stored.bundle !== view.bundle) return { action: 'rewrite', message: 'the authorities to trust changed' };
  return { action: 'keep' };
}

/** Both can be read, and belong together. */
export const isUsable = (keyed: KeyedCertificate): boolean => parse(keyed)?.isKeyOfIt ?? false;

/** Less than a third of its life is left. */
export function isExpiring(certificate: X509Certificate, now: Date): boolean {
  const from = certificate.validFromDate.getTime();
  const to = certificate.validToDate.getTime();
  return to - now.getTime() < (to - from) / 3;
}

/** Issued and signed by that authority, not merely by one of that name. */
export const isIssuedBy = (certificate: X509Certificate, ca: X509Certificate): boolean =>
  certificate.checkIssued(ca) && certificate.verify(ca.publicKey);

/** @returns undefined when the text is no certificate */
export function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

interface Parsed {
  certificate: X509Certificate;
  isKeyOfIt: boolean;
}

interface Rule {
  reason: ReissueReason;
  objects: (parsed: Parsed, view: LeafView) => boolean;
  message: string;
}

const rules: readonly Rule[] = [
  { reason: 'KeyMismatch', objects: ({ isKeyOfIt }) => !isKeyOfIt, message: 'the key is not of this certificate' },
  {
    reason: 'OtherAuthority',
    objects: ({ certificate }, { ca }) => !isIssuedBy(certificate, new X509Certificate(ca)),
    message: 'another authority issued it',
  },
  {
    reason: 'SubjectDiffers',
    objects: ({ certificate }, { subject }) => certificate.subject !== printedSubject(subject),
    message: 'it is of another subject',
  },
  {
    reason: 'NamesDiffer',
    objects: ({ certificate }, { sans }) => {
      const own = parsePrintedSans(certificate.subjectAltName);
      return !own || !isSameSans(own, parseSans(sans));
    },
    message: 'its names and addresses are not the wanted ones',
  },
  {
    reason: 'NotYetValid',
    objects: ({ certificate }, { now }) => certificate.validFromDate > now,
    message: 'its time has not begun',
  },
  {
    reason: 'Expiring',
    objects: ({ certificate }, { now }) => isExpiring(certificate, now),
    message: 'less than a third of its life is left',
  },
];

const reissue = (reason: ReissueReason, message: string): LeafVerdict => ({ action: 'reissue', reason, message });

function parse({ certificate: pem, key }: KeyedCertificate): Parsed | undefined {
  const certificate = readCertificate(pem);
  if (!certificate) return undefined;
  try {
    return { certificate, isKeyOfIt: certificate.checkPrivateKey(createPrivateKey(key)) };
  } catch {
    return undefined;
  }
}
