import { access, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EngineError } from './errors.ts';
import { ensurePrivateDirectory, removeDurably, syncDirectory, writeFileAtomic } from './files.ts';
import type { DataFacts } from './profile.ts';
import type { OsUser } from './programs.ts';

/**
 * A directory that is filled as a whole or not at all. A marker beside it is durable before the first byte and goes
 * after the last, so that an interrupted filling is never taken for a database; then the directory, and nothing
 * outside it, is emptied and filled anew.
 */
export class Place {
  readonly directory: string;
  readonly #proof: string;
  readonly #owner: OsUser | undefined;

  /** @param proof a path inside that every finished content of this kind has */
  constructor(directory: string, proof: string, owner?: OsUser) {
    this.directory = directory;
    this.#proof = proof;
    this.#owner = owner;
  }

  get #marker(): string {
    return `${this.directory}.incomplete`;
  }

  /** What lies here, without changing it. */
  async state(): Promise<DataFacts['state']> {
    if (await exists(this.#marker)) return 'partial';
    const entries = await readdir(this.directory).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    });
    if (entries.length === 0) return 'blank';
    return (await exists(join(this.directory, this.#proof))) ? 'initialized' : 'foreign';
  }

  /**
   * Runs `work` on the empty directory (mode 700). Safe to repeat after a crash at any point.
   * @throws EngineError `NotBlank` when something is here that was not begun by a filling
   */
  async fill(task: string, work: () => Promise<void>): Promise<void> {
    const state = await this.state();
    if (state !== 'blank' && state !== 'partial') {
      throw new EngineError(
        'NotBlank',
        `${this.directory} already holds ${state === 'foreign' ? 'other files' : 'data'}`,
      );
    }
    // A filling that failed may have filled the disk as well: then there is no room to write the marker anew.
    if (state === 'blank') await this.giveUp(task);
    // rm does not follow links, so a tablespace elsewhere is never touched.
    await rm(this.directory, { recursive: true, force: true });
    await ensurePrivateDirectory(this.directory, this.#owner);
    await work();
    await this.#finish();
  }

  /**
   * Changes finished content in place. Interrupted or failed, it is never taken for a database again: only `fill` will do.
   * @param isUntouched asked after a failure: was nothing changed yet? Then it counts as before
   * @throws EngineError `NotInitialized`
   */
  async rework(task: string, work: () => Promise<void>, isUntouched: () => boolean): Promise<void> {
    const state = await this.state();
    if (state !== 'initialized') throw new EngineError('NotInitialized', `${this.directory} is ${state}`);
    await this.giveUp(task);
    try {
      await work();
    } catch (error) {
      if (isUntouched()) await this.#finish();
      throw error;
    }
    await this.#finish();
  }

  /** Gives finished content up, durably: only `fill` will do. */
  giveUp(task: string): Promise<void> {
    return writeFileAtomic(this.#marker, `${task}\n`, this.#owner);
  }

  async #finish(): Promise<void> {
    await syncDirectory(this.directory);
    await syncDirectory(dirname(this.directory));
    await removeDurably(this.#marker);
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
