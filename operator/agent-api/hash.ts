import { createHash } from 'node:crypto';

/** Fingerprint of a set of settings, independent of their order: tells whether an agent runs with the wanted ones. */
export function hashSettings(settings: Readonly<Record<string, string>>): string {
  const entries = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex').slice(0, 16);
}
