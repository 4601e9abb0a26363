import { statfs } from 'node:fs/promises';
import type { Clock } from '../../kube/clock.ts';
import { usedPercent, type DiskUse } from './judge.ts';
import type { LogPolicy } from './policy.ts';

/** Space is asked for this often, ms. */
const CHECK_MS = 60_000;

/** What the file system has for others than root. @throws system errors */
export async function readDiskUse(path: string): Promise<DiskUse> {
  const { blocks, bfree, bavail, bsize } = await statfs(path);
  // As df does: what only root may use counts neither as used nor as free.
  return { totalBytes: (blocks - bfree + bavail) * bsize, freeBytes: bavail * bsize };
}

export interface DiskWatchOptions {
  path: string;
  policy: () => LogPolicy;
  readDisk: (path: string) => Promise<DiskUse>;
  clock: Clock;
  /** Asks for a clean-up. */
  onFull: () => void;
}

/**
 * Asks for a clean-up when the disk passes the high mark, once: it asks again when the disk was below the mark meanwhile.
 * A disk that is full of what may not be deleted does not keep the host busy.
 */
export class DiskWatch {
  readonly #options: DiskWatchOptions;
  #isFull = false;
  #isOpen = false;
  #cancel: () => void = () => undefined;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#isOpen = true;
    this.#wait();
  }

  stop(): void {
    this.#isOpen = false;
    this.#cancel();
  }

  #wait(): void {
    this.#cancel = this.#options.clock.after(CHECK_MS, () => {
      void this.#check().then(() => {
        if (this.#isOpen) this.#wait();
      });
    });
  }

  /** Never rejects: a disk that cannot be asked is told by the clean-up itself. */
  async #check(): Promise<void> {
    const { path, policy, readDisk, onFull } = this.#options;
    const use = await readDisk(path).catch(() => undefined);
    if (!use) return;
    const wasFull = this.#isFull;
    this.#isFull = usedPercent(use) >= policy().diskHighPercent;
    if (this.#isFull && !wasFull && this.#isOpen) onFull();
  }
}
