import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';

export interface RotateOptions {
  path: string;
  /** The file is rotated before it would grow beyond this, bytes. */
  maxBytes: number;
  /** Rotated files kept, `path.1` the newest. */
  files: number;
}

/**
 * Appends whole chunks to a file and rotates it between two of them, so no chunk is split over two files or lost. One
 * writer per path. (The rotating packages at hand lose or reorder what is written while they rotate, or write
 * synchronously, and a stalled disk must not stop the agent.)
 */
export class RotatingFile {
  readonly #options: RotateOptions;
  #handle: FileHandle | undefined;
  #size = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(options: RotateOptions) {
    this.#options = options;
  }

  /** Resolves when the chunk is written; later chunks wait for earlier ones. Rejects when the disk refuses it. */
  write(chunk: Buffer): Promise<void> {
    const turn = this.#last.then(() => this.#append(chunk));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #append(chunk: Buffer): Promise<void> {
    const { path, maxBytes } = this.#options;
    if (!this.#handle) {
      this.#handle = await open(path, 'a', 0o640);
      this.#size = (await this.#handle.stat()).size;
    }
    if (this.#size > 0 && this.#size + chunk.length > maxBytes) {
      await this.#rotate();
      await this.#append(chunk);
      return;
    }
    await this.#handle.appendFile(chunk);
    this.#size += chunk.length;
  }

  async #rotate(): Promise<void> {
    const { path, files } = this.#options;
    await this.#handle?.close();
    this.#handle = undefined;
    await rm(`${path}.${files}`, { force: true });
    for (let n = files - 1; n >= 1; n--) await renameIfExists(`${path}.${n}`, `${path}.${n + 1}`);
    await rename(path, `${path}.1`);
  }
}

async function renameIfExists(from: string, to: string): Promise<void> {
  if (await stat(from).catch(() => undefined)) await rename(from, to);
}
