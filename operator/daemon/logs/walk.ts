import { isCode, type FileFacts, type HeldDirectory } from './held-directory.ts';
import type { FileName } from './names.ts';

/** Deeper directories are not entered: each level holds two descriptors. */
const MAX_DEPTH = 128;

export interface WalkOptions {
  signal: AbortSignal;
  /** A directory that cannot be read, or must not be entered. What vanishes meanwhile is no problem. */
  onProblem: (path: FileName, error: unknown) => void;
}

/** A file, in its directory, which is held open until the next one is asked for. */
export interface Found {
  directory: HeldDirectory;
  name: FileName;
  /** From where the walk began. */
  path: FileName;
  facts: FileFacts;
}

/** One directory of a walk; the entries below it follow in no order. */
export interface Place {
  directory: HeldDirectory;
  path: FileName;
}

/**
 * Everything below a directory that is not itself a directory, one by one: memory does not grow with the tree. Links
 * are told, never followed.
 */
export async function* walkFiles(from: Place, options: WalkOptions): AsyncGenerator<Found> {
  for await (const { directory, path } of walkDirectories(from, options)) yield* filesOf({ directory, path }, options);
}

/** The directory itself and those below it. */
export async function* walkDirectories(from: Place, options: WalkOptions, depth = 0): AsyncGenerator<Place> {
  yield from;
  if (depth === MAX_DEPTH) {
    options.onProblem(from.path, new Error(`more than ${MAX_DEPTH} directories deep`));
    return;
  }
  for await (const { name, kind } of entriesOf(from, options)) {
    if (kind !== 'directory') continue;
    const path = joined(from.path, name);
    const directory = await enter(from.directory, name, error => options.onProblem(path, error));
    if (!directory) continue;
    try {
      yield* walkDirectories({ directory, path }, options, depth + 1);
    } finally {
      await directory.close();
    }
  }
}

/** The files of one directory. */
export async function* filesOf(place: Place, options: WalkOptions): AsyncGenerator<Found> {
  const { directory, path } = place;
  for await (const { name, kind } of entriesOf(place, options)) {
    if (kind === 'directory') continue;
    const facts = await directory.facts(name).catch((error: unknown) => options.onProblem(joined(path, name), error));
    if (facts && facts.kind !== 'directory') yield { directory, name, path: joined(path, name), facts };
  }
}

async function* entriesOf({ directory, path }: Place, { signal, onProblem }: WalkOptions) {
  try {
    for await (const entry of directory.entries()) {
      signal.throwIfAborted();
      yield entry;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    onProblem(path, error);
  }
}

/** A directory to look into; undefined when there is none (any more), or it must not be entered. */
async function enter(
  parent: HeldDirectory,
  name: FileName,
  onProblem: (error: unknown) => void,
): Promise<HeldDirectory | undefined> {
  try {
    return await parent.child(name);
  } catch (error) {
    // Gone, or a link or a file by now.
    if (!isCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) onProblem(error);
    return undefined;
  }
}

/**
 * Goes down some names, one directory at a time; undefined when one of them is not there, or is no directory.
 * @throws OtherMount; system errors
 */
export async function descend(from: HeldDirectory, names: readonly FileName[]): Promise<HeldDirectory | undefined> {
  let here: HeldDirectory | undefined;
  for (const name of names) {
    const above = here;
    try {
      here = await (above ?? from).child(name);
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
      throw error;
    } finally {
      await above?.close();
    }
  }
  return here;
}

export const joined = (path: FileName, name: FileName): FileName => (path === '' ? name : `${path}/${name}`);

/** What was deleted. */
export interface Removed {
  files: number;
  bytes: number;
}

/**
 * Deletes an entry with all that is in it, bottom up; a link goes itself, what it leads to stays. It may be called off
 * and called again. @throws OtherMount: something is mounted in it; system errors
 */
export async function removeTree(
  parent: HeldDirectory,
  name: FileName,
  options: { signal: AbortSignal; removed: Removed },
  depth = 0,
): Promise<void> {
  options.signal.throwIfAborted();
  const facts = await parent.facts(name);
  if (!facts) return;
  if (facts.kind !== 'directory') {
    await parent.unlink(name);
    options.removed.files++;
    options.removed.bytes += facts.bytes;
    return;
  }
  if (depth === MAX_DEPTH) throw new Error(`more than ${MAX_DEPTH} directories deep`);
  // Some file systems leave entries out when others are deleted meanwhile: until a look finds none.
  while (await removeContent(parent, name, options, depth)) options.signal.throwIfAborted();
  await parent.removeEmpty(name);
}

/** @returns whether there was anything to delete */
async function removeContent(
  parent: HeldDirectory,
  name: FileName,
  options: { signal: AbortSignal; removed: Removed },
  depth: number,
): Promise<boolean> {
  const directory = await parent.child(name);
  let seen = false;
  try {
    for await (const entry of directory.entries()) {
      seen = true;
      await removeTree(directory, entry.name, options, depth + 1);
    }
  } finally {
    await directory.close();
  }
  return seen;
}
