import { isCode, type HeldDirectory } from './held-directory.ts';
import { isInstanceName, type FileName } from './names.ts';

/** Since when nobody names an instance that has a folder; ms since the epoch by instance id. */
export type Orphans = ReadonlyMap<FileName, number>;

/** File in the trash. It lies beside the folders that it speaks of, so that it goes where their disk goes. */
export const NOTE = 'orphans.json';

/** Without a note, or with one that cannot be read, all waiting begins anew: nothing goes too early. */
export async function readOrphans(trash: HeldDirectory | undefined): Promise<Orphans> {
  try {
    const file = await trash?.openFile(NOTE);
    if (!file) return new Map();
    try {
      return parseOrphans(await file.readFile('utf8'));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ELOOP', 'ENXIO') || error instanceof SyntaxError) return new Map();
    throw error;
  }
}

function parseOrphans(text: string): Orphans {
  const value: unknown = JSON.parse(text);
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return new Map(
    entries
      .map(([name, since]): [string, number] => [name, typeof since === 'string' ? Date.parse(since) : NaN])
      .filter(([name, since]) => isInstanceName(name) && Number.isFinite(since)),
  );
}

/** Replaces the note as a whole, or leaves the old one. */
export async function writeOrphans(trash: HeldDirectory, orphans: Orphans): Promise<void> {
  const content = Object.fromEntries([...orphans].map(([name, since]) => [name, new Date(since).toISOString()]));
  const next = `${NOTE}.next`;
  await trash.unlink(next).catch((error: unknown) => {
    if (!isCode(error, 'ENOENT')) throw error;
  });
  const file = await trash.createFile(next, 0o600);
  try {
    await file.writeFile(`${JSON.stringify(content, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await trash.move(next, trash, NOTE);
  await trash.sync();
}

export const isSameOrphans = (a: Orphans, b: Orphans): boolean =>
  a.size === b.size && [...a].every(([name, since]) => b.get(name) === since);
