import { randomUUID } from 'node:crypto';
import { chmod, chown, link, lstat, mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { OsUser } from './programs.ts';

/** Entries of a directory survive a power cut only after the directory itself is synced. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What a file holds, or undefined when there is none. */
export async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Replaces a file so that a crash at any point leaves the old or the new content, never a mix: temporary file in the
 * same directory, fsync, rename, fsync of the directory. Mode 600.
 */
export async function writeFileAtomic(path: string, content: string, owner?: OsUser): Promise<void> {
  await replaceFile(path, content, { owner, sync: handle => handle.sync() });
  await syncDirectory(dirname(path));
}

interface Replacement {
  owner: OsUser | undefined;
  sync?: (handle: FileHandle) => Promise<void>;
}

async function replaceFile(path: string, content: string, { owner, sync }: Replacement): Promise<void> {
  const directory = dirname(path);
  // One writer per directory: the agent is the only one, so a fixed name also cleans up after a crash.
  const temporary = join(directory, `.${basename(path)}.new`);
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    // The umask may have taken bits away; the engine insists on exactly these.
    await handle.chmod(0o600);
    if (owner) await handle.chown(owner.uid, owner.gid);
    await sync?.(handle);
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}

/**
 * Makes a file that nobody has made yet, on a volume that others may write to as well: complete from the first moment that
 * it has its name. Returns whether this call made it.
 */
export async function createFileExclusive(path: string, content: string): Promise<boolean> {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.${randomUUID()}`);
  await writeFileAtomic(temporary, content);
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await removeDurably(temporary);
  }
}

/** Writes only when the content differs. Returns whether it wrote. */
export async function writeIfChanged(path: string, content: string, owner?: OsUser): Promise<boolean> {
  if ((await readIfExists(path)) === content) return false;
  await writeFileAtomic(path, content, owner);
  return true;
}

/**
 * As {@link writeIfChanged}, for what is written anew before each start of the engine: a power cut may take it, so nobody
 * waits for the disk.
 */
export async function replaceIfChanged(path: string, content: string, owner?: OsUser): Promise<boolean> {
  if ((await readIfExists(path)) === content) return false;
  await replaceFile(path, content, { owner });
  return true;
}

/** Removes a file, and the removal survives a power cut. Nothing happens when it is not there. */
export async function removeDurably(path: string): Promise<void> {
  try {
    await rm(path);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** A directory of mode 700 that belongs to the engine, made durably when it is missing. Never follows a link. */
export async function ensurePrivateDirectory(path: string, owner?: OsUser): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (!found) await mkdir(path, { mode: 0o700 });
  else if (!found.isDirectory()) throw new Error(`${path} is not a directory`);
  // Whoever does not own a directory may not change it, even to what it is.
  if (found === undefined || (found.mode & 0o7777) !== 0o700) await chmod(path, 0o700);
  if (owner) await chown(path, owner.uid, owner.gid);
  if (!found) await syncDirectory(dirname(path));
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
