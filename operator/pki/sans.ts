import { isIP } from 'node:net';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** A name or address by which a server is dialled. Comparable: lower case, addresses in their shortest form. */
export interface San {
  type: 'dns' | 'ip';
  value: string;
}

/**
 * Tells DNS names from addresses and brings both to one form, sorted and without repeats.
 * @throws RangeError naming the entry that is neither
 */
export function parseSans(names: readonly string[]): San[] {
  const byText = new Map(names.map(parseSan).map(san => [`${san.type}:${san.value}`, san]));
  return [...byText.keys()].sort().map(key => byText.get(key)!);
}

/** The names of a certificate, from node:crypto's `subjectAltName` text; undefined when it holds other kinds too. */
export function parsePrintedSans(text: string | undefined): San[] | undefined {
  const entries = text ? text.split(', ').map(entry => /^(?:DNS|IP Address):([^"]+)$/.exec(entry)?.[1]) : [];
  return entries.every(entry => entry !== undefined) ? parseSans(entries) : undefined;
}

export const isSameSans = (a: readonly San[], b: readonly San[]): boolean =>
  a.length === b.length && a.every((san, i) => san.type === b[i]?.type && san.value === b[i].value);

function parseSan(name: string): San {
  const family = isIP(name);
  if (family === 4) return { type: 'ip', value: name };
  if (family === 6) return { type: 'ip', value: new URL(`http://[${name}]`).hostname.slice(1, -1) };
  const value = name.toLowerCase();
  const labels = value.replace(/^\*\./, '').split('.');
  if (value.length > 253 || !labels.every(it => LABEL.test(it))) {
    throw new RangeError(`"${name}" is neither a DNS name nor an IP address`);
  }
  return { type: 'dns', value };
}
