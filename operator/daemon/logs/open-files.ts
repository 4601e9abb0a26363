import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode } from './held-directory.ts';

export interface OpenFiles {
  /** By `FileFacts.id`. */
  ids: ReadonlySet<string>;
  /** False: some processes could not be looked at. */
  isComplete: boolean;
}

/**
 * The files of one device that processes of the host have open. @param proc the host's `/proc`
 * @throws system errors when it cannot be read at all
 */
export async function readOpenFiles(proc: string, device: string, signal: AbortSignal): Promise<OpenFiles> {
  const ids = new Set<string>();
  let isComplete = true;
  for (const pid of await readdir(proc)) {
    if (!/^\d+$/.test(pid)) continue;
    signal.throwIfAborted();
    try {
      await addFilesOf(join(proc, pid, 'fd'), device, ids);
    } catch (error) {
      // A process that ended has nothing open.
      if (!isCode(error, 'ENOENT', 'ESRCH')) isComplete = false;
    }
  }
  return { ids, isComplete };
}

async function addFilesOf(directory: string, device: string, ids: Set<string>): Promise<void> {
  for (const descriptor of await readdir(directory)) {
    const path = join(directory, descriptor);
    try {
      // Sockets, pipes and the like have no path.
      if (!(await readlink(path)).startsWith('/')) continue;
      const stats = await stat(path, { bigint: true });
      if (stats.isFile() && String(stats.dev) === device) ids.add(`${stats.dev}:${stats.ino}`);
    } catch (error) {
      if (!isCode(error, 'ENOENT', 'ESRCH')) throw error;
    }
  }
}
