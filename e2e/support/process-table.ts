import { existsSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mend } from './faults.ts';

const HYBRID = '/sys/fs/cgroup/pids';
const ROOT = existsSync(HYBRID) ? HYBRID : '/sys/fs/cgroup';
const GROUP = join(ROOT, `e2e-full-${process.pid}`);

/** Lets none of these processes start another one, or a thread: fork(2) says EAGAIN, as in a full process table. */
export async function fullProcessTable(pids: readonly number[]): Promise<Mend> {
  await mkdir(GROUP);
  // Who is moved there does not count.
  await writeFile(join(GROUP, 'pids.max'), '0');
  const former = new Map(await Promise.all(pids.map(async pid => [pid, await groupOf(pid)] as const)));
  for (const pid of pids) await move(pid, GROUP);
  return async () => {
    for (const [pid, group] of former) await move(pid, group);
    await rmdir(GROUP);
  };
}

async function groupOf(pid: number): Promise<string> {
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).split('\n');
  const line = lines.find(it => it.includes(':pids:')) ?? lines.find(it => it.startsWith('0::')) ?? '';
  return join(ROOT, line.replace(/^[^:]*:[^:]*:/, ''));
}

/** One that has ended meanwhile is passed over. */
async function move(pid: number, group: string): Promise<void> {
  try {
    await writeFile(join(group, 'cgroup.procs'), String(pid));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
