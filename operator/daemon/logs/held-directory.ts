import { constants, type BigIntStats, type Dirent } from 'node:fs';
import { link, lstat, mkdir, open, opendir, readFile, rename, rmdir, unlink, type FileHandle } from 'node:fs/promises';
import type { FileName } from './names.ts';

const { O_RDONLY, O_WRONLY, O_DIRECTORY, O_NOFOLLOW, O_CREAT, O_EXCL, O_NONBLOCK } = constants;
/** `st_blocks` counts in these, whatever the file system. */
const BLOCK_BYTES = 512;

export type FileKind = 'file' | 'directory' | 'other';

export interface FileFacts {
  kind: FileKind;
  /** Device and inode: the same file, whatever its name. */
  id: string;
  /** What it takes on the disk. */
  bytes: number;
  /** Content was last written, ms since the epoch. */
  modifiedAt: number;
}

export interface Entry {
  name: FileName;
  kind: FileKind;
}

/** The directory belongs to another file system, or is a mount of this one: what lies in it is somebody else's. */
export class OtherMount extends Error {}

/**
 * A directory that is held open. All that is done to it goes through the descriptor (`/proc/self/fd/<n>/<name>` is what
 * openat and its kin would be), so it stays the same directory whatever happens to the path that led to it, and a link
 * that takes the place of one of its entries is never followed.
 */
export class HeldDirectory {
  readonly #handle: FileHandle;
  readonly #mount: string;

  private constructor(handle: FileHandle, mount: string) {
    this.#handle = handle;
    this.#mount = mount;
  }

  /** @throws system errors; ENOENT when there is none, ENOTDIR or ELOOP when it is a link or a file */
  static async open(path: string): Promise<HeldDirectory> {
    return HeldDirectory.#hold(Buffer.from(path));
  }

  /** A directory in this one. @throws OtherMount; system errors as `open` */
  async child(name: FileName): Promise<HeldDirectory> {
    const child = await HeldDirectory.#hold(this.#at(name));
    if (child.#mount === this.#mount) return child;
    await child.close();
    throw new OtherMount('another file system is mounted here');
  }

  static async #hold(path: Buffer): Promise<HeldDirectory> {
    const handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      return new HeldDirectory(handle, await mountOf(handle));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** The entries, read piece by piece. Deleting them meanwhile is allowed. */
  async *entries(): AsyncGenerator<Entry> {
    for await (const entry of await opendir(this.#path, { encoding: 'latin1', bufferSize: 256 })) {
      const kind = kindOf(entry) ?? (await this.facts(entry.name))?.kind;
      if (kind) yield { name: entry.name, kind };
    }
  }

  /** Of the entry itself: a link is `other`. Undefined: it is gone. */
  async facts(name: FileName): Promise<FileFacts | undefined> {
    try {
      return factsOf(await lstat(this.#at(name), { bigint: true }));
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Of this directory. */
  async own(): Promise<FileFacts> {
    return factsOf(await this.#handle.stat({ bigint: true }));
  }

  /** A plain file to read. A pipe or device in its place does not block. */
  openFile(name: FileName): Promise<FileHandle> {
    return open(this.#at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }

  /** A file that did not exist before. */
  createFile(name: FileName, mode: number): Promise<FileHandle> {
    return open(this.#at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  }

  makeDirectory(name: FileName): Promise<void> {
    return mkdir(this.#at(name), { mode: 0o700 }).then(() => undefined);
  }

  unlink(name: FileName): Promise<void> {
    return unlink(this.#at(name));
  }

  removeEmpty(name: FileName): Promise<void> {
    return rmdir(this.#at(name));
  }

  /** A second name; it fails when that is taken already. */
  link(name: FileName, second: FileName): Promise<void> {
    return link(this.#at(name), this.#at(second));
  }

  /** Moves an entry, itself and not what it may link to, into a directory of the same file system. */
  move(name: FileName, to: HeldDirectory, newName: FileName): Promise<void> {
    return rename(this.#at(name), to.#at(newName));
  }

  /** Waits until changes of names are on the disk. */
  sync(): Promise<void> {
    return this.#handle.sync();
  }

  get #path(): string {
    return `/proc/self/fd/${this.#handle.fd}`;
  }

  #at(name: FileName): Buffer {
    if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) throw new Error('not a name');
    return Buffer.from(`${this.#path}/${name}`, 'latin1');
  }
}

export function isCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}

export function factsOf(stats: BigIntStats): FileFacts {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
  const id = `${stats.dev}:${stats.ino}`;
  return { kind, id, bytes: Number(stats.blocks) * BLOCK_BYTES, modifiedAt: Number(stats.mtimeNs / 1_000_000n) };
}

/** Undefined: the file system does not say. */
function kindOf(entry: Dirent): FileKind | undefined {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  const isOther = entry.isSymbolicLink() || entry.isFIFO() || entry.isSocket() || entry.isBlockDevice();
  return isOther || entry.isCharacterDevice() ? 'other' : undefined;
}

/** Which mount: finer than the device, a directory of the same file system may be mounted too. */
async function mountOf(handle: FileHandle): Promise<string> {
  const info = await readFile(`/proc/self/fdinfo/${handle.fd}`, 'utf8');
  const [, mount] = /^mnt_id:\s*(\d+)$/m.exec(info) ?? [];
  if (mount === undefined) throw new Error('the kernel does not tell mounts apart');
  return mount;
}
