import { join } from 'node:path';
import { parseConf, withoutSettings } from './conf.ts';
import { readIfExists, writeIfChanged } from './files.ts';
import type { Settings } from './profile.ts';
import type { OsUser } from './programs.ts';

/**
 * ALTER SYSTEM outranks our file; what holds the cluster together must not come from there, or from a base backup.
 * @returns what is left there
 */
export async function cleanAutoConf(
  directory: string,
  isOwned: (name: string) => boolean,
  user: OsUser | undefined,
): Promise<Settings> {
  const path = join(directory, 'postgresql.auto.conf');
  const text = await readIfExists(path);
  if (text === undefined) return {};
  const cleaned = withoutSettings(text, isOwned);
  await writeIfChanged(path, cleaned, user);
  return Object.fromEntries(parseConf(cleaned));
}
