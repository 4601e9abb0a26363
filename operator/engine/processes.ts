import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Processes whose working directory is `directory`. Every process of an engine changes into its data directory at start
 * and stays there, orphaned backends included, which no pid file names.
 */
export async function processesIn(directory: string): Promise<number[]> {
  const target = await realpath(directory).catch(() => undefined);
  if (target === undefined) return [];
  const ids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  // A process that ended meanwhile, or belongs to another user, has no readable link: it is none of ours.
  const seen = await Promise.all(ids.map(id => readlink(`/proc/${id}/cwd`).catch(() => undefined)));
  return ids.filter((_id, index) => seen[index] === target).map(Number);
}

/** The title of a process; empty when it is gone. */
export async function titleOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.replaceAll('\0', ' ').trim();
}

/** The postmaster of a data directory, by its pid file, or undefined when the file is missing or names nothing of it. */
export async function postmasterPid(
  directory: string,
  alive: (directory: string) => Promise<number[]>,
): Promise<number | undefined> {
  const text = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(text.split('\n')[0] ?? '', 10);
  // The number may be another process's by now (a stale file, a new PID namespace): a signal to it could end that one.
  return (await alive(directory)).includes(pid) ? pid : undefined;
}
