import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { FileHandle } from 'node:fs/promises';
import { factsOf, isCode, type HeldDirectory } from './held-directory.ts';
import { PARTIAL_SUFFIX, type FileName } from './names.ts';
import type { Found } from './walk.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * Replaces a log by a compressed one of the same owner, rights and time. At every moment one of the two is complete on
 * the disk. @returns the new file's id; undefined when the log was written to or replaced meanwhile, then it stays
 */
export async function compressLog({ directory, name, facts }: Found, signal: AbortSignal): Promise<string | undefined> {
  const target = `${name}.gz`;
  if (await directory.facts(target)) throw new Error('its compressed form exists already');
  const source = await directory.openFile(name);
  try {
    const seen = await source.stat({ bigint: true });
    const made = await compressInto({ directory, name, source, id: facts.id }, target, signal);
    if (made === undefined) return undefined;
    await directory.sync();
    // Written to while that took its time: the log stays, and goes on.
    const { size, mtimeNs } = await source.stat({ bigint: true });
    if (size !== seen.size || mtimeNs !== seen.mtimeNs) {
      await directory.unlink(target);
      return undefined;
    }
    // Whoever made a new file of this name keeps it.
    if ((await directory.facts(name))?.id === facts.id) await directory.unlink(name);
    return made;
  } finally {
    await source.close();
  }
}

interface Source {
  directory: HeldDirectory;
  name: FileName;
  source: FileHandle;
  id: string;
}

async function compressInto(
  { directory, name, source, id }: Source,
  target: FileName,
  signal: AbortSignal,
): Promise<string | undefined> {
  const before = await source.stat({ bigint: true });
  if (factsOf(before).id !== id || !before.isFile()) return undefined;
  const partial = `${name}${PARTIAL_SUFFIX}`;
  const file = await directory.createFile(partial, 0o600);
  try {
    await pipeline(chunksOf(source), createGzip(), (chunks: AsyncIterable<Buffer>) => writeAll(file, chunks), {
      signal,
    });
    await file.chown(Number(before.uid), Number(before.gid));
    await file.chmod(Number(before.mode) & 0o777);
    await file.utimes(Number(before.atimeNs) / 1e9, Number(before.mtimeNs) / 1e9);
    await file.sync();
    const after = await source.stat({ bigint: true });
    if (after.size !== before.size || after.mtimeNs !== before.mtimeNs) return undefined;
    // Unlike a rename, this replaces nothing.
    await directory.link(partial, target);
    return factsOf(await file.stat({ bigint: true })).id;
  } finally {
    await file.close();
    await directory.unlink(partial).catch((error: unknown) => {
      if (!isCode(error, 'ENOENT')) throw error;
    });
  }
}

/** (Streams over a handle that stays open do not end a pipeline.) */
async function* chunksOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

async function writeAll(file: FileHandle, chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) await file.appendFile(chunk);
}
