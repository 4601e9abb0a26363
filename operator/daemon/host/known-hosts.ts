import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Public keys that hosts of these names may have. */
export interface KnownKeys {
  trusted: readonly HostKey[];
  revoked: readonly HostKey[];
}

interface HostKey {
  /** As in the file: `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`. */
  type: string;
  /** Wire form, as the host shows it. */
  blob: Buffer;
}

/**
 * What a file in the form of OpenSSH's known_hosts (sshd(8)) says of a host: plain and hashed names, patterns, `[name]:port`
 * and `@revoked`. Lines of certificate authorities, and lines that cannot be read, trust nobody.
 * @param names all names under which the host may stand there
 */
export function readKnownHosts(text: string, names: readonly string[]): KnownKeys {
  const lines = text.split('\n').flatMap(line => parseLine(line) ?? []);
  const ours = lines.filter(({ hosts }) => isNamed(hosts, names));
  const marked = (marker: string): HostKey[] => ours.filter(line => line.marker === marker).map(line => line.key);
  return { trusted: marked(''), revoked: marked('@revoked') };
}

interface Line {
  /** Empty for a plain line. */
  marker: string;
  hosts: string;
  key: HostKey;
}

function parseLine(line: string): Line | undefined {
  const match = /^(?:(@\S+)\s+)?([^\s@#]\S*)\s+(\S+)\s+([A-Za-z0-9+/]+=*)(?:\s|$)/.exec(line.trim());
  const [, marker = '', hosts = '', type = '', base64 = ''] = match ?? [];
  return match ? { marker, hosts, key: { type, blob: Buffer.from(base64, 'base64') } } : undefined;
}

/** Is that a key that the host may have? */
export function isTrusted({ trusted, revoked }: KnownKeys, blob: Buffer): boolean {
  const isIt = (key: HostKey): boolean => key.blob.equals(blob);
  return trusted.some(isIt) && !revoked.some(isIt);
}

/** Signatures to ask the host for, so that it shows a key of a kind that is known of it. */
export function signaturesOf({ trusted }: KnownKeys): string[] {
  return [...new Set(trusted.flatMap(({ type }) => SIGNATURES[type] ?? []))];
}

/** What the library can verify. An RSA key signs in three ways, of which SHA-1 is not asked for. */
const SIGNATURES: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** As ssh-keygen -l prints it. */
export const fingerprint = (blob: Buffer): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;

function isNamed(hosts: string, names: readonly string[]): boolean {
  if (hosts.startsWith('|1|')) return names.some(name => isHashOf(hosts, name));
  const patterns = hosts.split(',');
  const has = (pattern: string): boolean => names.some(name => isMatch(pattern, name));
  // A negated pattern that matches wins over all others.
  if (patterns.some(pattern => pattern.startsWith('!') && has(pattern.slice(1)))) return false;
  return patterns.some(has);
}

function isMatch(pattern: string, name: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, 'i').test(name);
}

function isHashOf(hosts: string, name: string): boolean {
  const [, , salt = '', hash = ''] = hosts.split('|');
  const wanted = Buffer.from(hash, 'base64');
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(name.toLowerCase()).digest();
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}
