import { ORGANISATION } from '../model/parts.ts';

/** Who a certificate is for: OU tells the part, by which an agent decides what it may ask; CN its name. */
export interface Subject {
  part: string;
  name: string;
}

/** In the form of the certificate library, which needs no escaping of names. */
export function distinguishedName({ part, name }: Subject): Record<string, string[]>[] {
  if (part === '' || name === '') throw new RangeError('a certificate needs a part and a name');
  return [{ O: [ORGANISATION] }, { OU: [part] }, { CN: [name] }];
}

/** As node:crypto prints it, one attribute a line. */
export const printedSubject = ({ part, name }: Subject): string => `O=${ORGANISATION}\nOU=${part}\nCN=${name}`;
