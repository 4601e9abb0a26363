import { link, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfExists, syncDirectory } from '../files.ts';

/** Where two histories part, as pg_rewind tells it. */
export interface Fork {
  timeline: number;
  /** Position in the log, bytes. */
  at: bigint;
}

const SEGMENT = /^[0-9A-F]{24}$/;
const DIGITS_OF_TIMELINE = 8;

/** @param line of standard error of pg_rewind */
export function parseFork(line: string): Fork | undefined {
  const [, high, low, timeline] =
    /diverged at WAL location ([0-9A-F]+)\/([0-9A-F]+) on timeline (\d+)/.exec(line) ?? [];
  if (high === undefined || low === undefined) return undefined;
  return { timeline: Number(timeline), at: (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`) };
}

/** File of the log that recovery begins with, of a backup_label; undefined when there is none. */
export const firstNeeded = (label: string): string | undefined =>
  /^START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)$/m.exec(label)?.[1];

/** Name of the file of the log that a position is in. @param bytes length of each */
export function segmentAt({ timeline, at }: Fork, bytes: number): string {
  const number = Number(at / BigInt(bytes));
  const each = 2 ** 32 / bytes;
  return [timeline, Math.floor(number / each), number % each].map(hex).join('');
}

/**
 * The log of a member while it is rewound. Recovery begins at the last checkpoint that both histories have; up to where they
 * part, the member has that log itself. pg_rewind takes away what the RW has no more of it; newer ones leave what comes after
 * the record of that checkpoint, but recovery begins before it. Then the member would wait for a file that nobody has.
 */
export class KeptLog {
  readonly #log: string;
  readonly #beside: string;

  /**
   * @param log the engine's `pg_wal`
   * @param beside a directory of its own in the same file system, which may be left from an interrupted rewind
   */
  constructor(log: string, beside: string) {
    this.#log = log;
    this.#beside = beside;
  }

  /** Second names for all files: no copies. */
  async keep(): Promise<void> {
    await this.drop();
    await mkdir(this.#beside, { mode: 0o700 });
    for (const name of await segmentsIn(this.#log)) await link(join(this.#log, name), join(this.#beside, name));
  }

  /**
   * Gives the files before the fork back that are missed. Whether a file behind it is right only the RW knows.
   * @throws Error when one is needed that neither of them had
   */
  async giveBack(directory: string, fork: Fork): Promise<void> {
    const first = firstNeeded((await readIfExists(join(directory, 'backup_label'))) ?? '');
    const kept = await segmentsIn(this.#beside);
    if (first === undefined || kept[0] === undefined) return;
    const { size } = await stat(join(this.#beside, kept[0]));
    const last = segmentAt(fork, size);
    const there = new Set(await segmentsIn(this.#log));
    const timeline = last.slice(0, DIGITS_OF_TIMELINE);
    for (const name of kept.filter(it => it.startsWith(timeline) && it >= first && it < last && !there.has(it))) {
      await link(join(this.#beside, name), join(this.#log, name));
      there.add(name);
    }
    await syncDirectory(this.#log);
    requireAll({ first, last, size, there });
  }

  drop(): Promise<void> {
    return rm(this.#beside, { recursive: true, force: true });
  }
}

/** @throws Error naming the first place of the log that no timeline has a file for */
function requireAll(needed: { first: string; last: string; size: number; there: ReadonlySet<string> }): void {
  const { first, last, size, there } = needed;
  const places = new Set([...there].map(placeOf));
  for (let at = positionOf(first, size); at <= positionOf(last, size); at += BigInt(size)) {
    const name = segmentAt({ timeline: 0, at }, size);
    if (!places.has(placeOf(name)))
      throw new Error(`recovery would begin in ${first}, and nobody has ${placeOf(name)}`);
  }
}

/** Of a segment's name: what does not tell the timeline. */
const placeOf = (name: string): string => name.slice(DIGITS_OF_TIMELINE);

function positionOf(name: string, bytes: number): bigint {
  const high = BigInt(`0x${name.slice(8, 16)}`);
  const low = BigInt(`0x${name.slice(16)}`);
  return (high << 32n) + low * BigInt(bytes);
}

/** None where there is no directory: why nothing can be rewound then, pg_rewind says. */
async function segmentsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: unknown): string[] => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return names.filter(name => SEGMENT.test(name)).sort();
}

const hex = (number: number): string => number.toString(16).toUpperCase().padStart(8, '0');
