import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { removeDurably, syncDirectory } from './files.ts';
import type { OsUser } from './programs.ts';

const HISTORY_FILE = /^([0-9A-F]{8})\.history$/;
const FIRST_TIMELINE = 1;

const nameOf = (timeline: number): string => `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;

interface HistoryFile {
  timeline: number;
  path: string;
}

/**
 * Makes the next promotion open timeline `epoch`: histories are told apart by that number alone, and an epoch has one
 * holder, while the next number that a follower's own log does not know may have been opened by a former RW too. The engine
 * takes the first number without a history file, so all lower ones get an empty one; numbers that are far below as well,
 * because a follower asks the RW for every one between its own and the RW's. Durable when it returns; safe to repeat.
 * @param directory the engine's `pg_wal`
 * @returns the number that it opens: beyond the epoch where the history is so already
 */
export async function reserveTimelines(directory: string, epoch: number, owner?: OsUser): Promise<number> {
  const known = new Set((await historyFiles(directory)).map(it => it.timeline));
  const missing: string[] = [];
  for (let timeline = FIRST_TIMELINE + 1; timeline < epoch; timeline++)
    if (!known.has(timeline)) missing.push(join(directory, nameOf(timeline)));
  for (const path of missing) await createEmpty(path, owner);
  if (missing.length > 0) await syncDirectory(directory);
  let opens = Math.max(epoch, FIRST_TIMELINE + 1);
  while (known.has(opens)) opens++;
  return opens;
}

/**
 * Removes what a promotion left that did not come about. Its reservations: an engine that boots as a follower goes for the
 * highest number that has a file, and ends when that file does not lead there. Those below a real history stay. And its
 * own history, `begun`, when it was killed between that file and the end of recovery and is begun anew: it would open the
 * next number, which the next grant's RW may open too. Nobody has seen that file, since an engine in recovery tells of the
 * timeline that it replays, and nobody else writes one with this number. Only while no engine runs.
 * @param directory the engine's `pg_wal`; may be missing
 * @param begun the timeline that it was to open
 */
export async function releaseTimelines(directory: string, begun?: number): Promise<void> {
  const files = await historyFiles(directory);
  for (const { path, timeline } of files.toSorted((a, b) => b.timeline - a.timeline)) {
    if (timeline !== begun && (await stat(path)).size > 0) return;
    await removeDurably(path);
  }
}

async function historyFiles(directory: string): Promise<HistoryFile[]> {
  const names = await readdir(directory).catch((error: unknown): string[] => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return names.flatMap(name => {
    const digits = HISTORY_FILE.exec(name)?.[1];
    return digits === undefined ? [] : [{ timeline: Number.parseInt(digits, 16), path: join(directory, name) }];
  });
}

/** One that is there by now was fetched from an RW, and is real. */
async function createEmpty(path: string, owner: OsUser | undefined): Promise<void> {
  const handle = await open(path, 'a', 0o600);
  try {
    await handle.chmod(0o600);
    if (owner) await handle.chown(owner.uid, owner.gid);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
