import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Who is in this PID namespace, and the proof that an engine is stopped (protocol, Stopped): a gone postmaster proves
 * nothing, because its backends are sessions of their own and go on committing. Only an empty /proc does.
 */
export interface ProcessEntry {
  pid: number;
  ppid: number;
  command: string;
}

export interface ProcessTable {
  /** Everybody alive in the namespace. */
  list(): ProcessEntry[];
  kill(pid: number, signal: NodeJS.Signals): void;
}

/** The real table. Zombies are left out: they hold no file, no memory and no socket, and PID 1 reaps them. */
export function procTable(root = '/proc'): ProcessTable {
  return {
    list: () => readdirSync(root).flatMap(name => (/^\d+$/.test(name) ? readEntry(root, name) : [])),
    kill: (pid, signal) => {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    },
  };
}

function readEntry(root: string, name: string): ProcessEntry[] {
  const stat = readStat(join(root, name));
  if (!stat || (isGone(stat.state) && !hasLiveThread(join(root, name)))) return [];
  return [{ pid: Number(name), ppid: stat.ppid, command: stat.command }];
}

const isGone = (state: string): boolean => state === 'Z' || state === 'X';

/** A process whose first thread has ended looks like a zombie while its other threads still run. */
function hasLiveThread(directory: string): boolean {
  const tasks = unlessGone(() => readdirSync(join(directory, 'task'))) ?? [];
  return tasks.some(task => !isGone(readStat(join(directory, 'task', task))?.state ?? 'X'));
}

const readStat = (directory: string): ProcessStat | undefined =>
  unlessGone(() => parseStat(readFileSync(join(directory, 'stat'), 'latin1')));

/** Whoever ends between the listing and the reading is gone; every other error is one. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

interface ProcessStat {
  command: string;
  state: string;
  ppid: number;
}

/** The fields of /proc/<pid>/stat that are needed; the command may itself hold blanks and brackets. */
export function parseStat(text: string): ProcessStat {
  const end = text.lastIndexOf(')');
  const [state, ppid] = text.slice(end + 2).split(' ', 2);
  if (end < 0 || !state || !ppid) throw new Error(`not the form of /proc/<pid>/stat: "${text.slice(0, 80)}"`);
  return { command: text.slice(text.indexOf('(') + 1, end), state, ppid: Number(ppid) };
}

/** Everybody but PID 1 and those to keep. */
export const strangers = (table: ProcessTable, keep: ReadonlySet<number>): ProcessEntry[] =>
  table.list().filter(({ pid }) => pid !== 1 && !keep.has(pid));

export interface KillOptions {
  /** Asked before each round, because a guard that died is replaced by another. */
  keep: () => ReadonlySet<number>;
  sleep: (ms: number) => Promise<void>;
  /** Give up after this many rounds (about 20 ms each); processes in an uninterruptible wait outlive SIGKILL. */
  rounds?: number;
}

/**
 * SIGKILLs everybody but PID 1 and those to keep until nobody else is left.
 * @throws Error with who is still there
 */
export async function killEverythingElse(table: ProcessTable, options: KillOptions): Promise<void> {
  for (let round = 0; ; round++) {
    const left = strangers(table, options.keep());
    if (left.length === 0) return;
    if (round >= (options.rounds ?? 500)) throw new Error(`still alive after SIGKILL: ${describe(left)}`);
    for (const { pid } of left) table.kill(pid, 'SIGKILL');
    await options.sleep(round < 10 ? 2 : 20);
  }
}

const describe = (entries: ProcessEntry[]): string =>
  entries
    .slice(0, 10)
    .map(({ pid, command }) => `${pid} (${command})`)
    .join(', ');

/**
 * May an engine run under this agent? Its parent has to be PID 1 and that a tini: then the end of the agent ends PID 1,
 * and that ends every process of the namespace. In a shared namespace (shareProcessNamespace, hostPID) neither holds.
 * @returns what is wrong, or undefined
 */
export function objectionToNamespace(ppid: number, initCommand: string): string | undefined {
  if (ppid !== 1) return `the agent's parent is process ${ppid}, not PID 1: the PID namespace is shared`;
  if (!initCommand.startsWith('tini')) return `PID 1 is "${initCommand}", not tini: the PID namespace is shared`;
  return undefined;
}

/** Command name of PID 1. */
export const initCommand = (root = '/proc'): string => readFileSync(join(root, '1', 'comm'), 'latin1').trim();

/** How much likelier the kernel takes the engine than the agent, whose end would end the engine as well. */
const OOM_SCORE_DISTANCE = 200;

/** Makes the engine the first to go when memory runs out. Raising needs no privilege; its children inherit it. */
export function raiseOomScore(pid: number, root = '/proc'): void {
  const own = Number(readFileSync(join(root, 'self', 'oom_score_adj'), 'latin1'));
  writeFileSync(join(root, String(pid), 'oom_score_adj'), String(Math.min(1000, own + OOM_SCORE_DISTANCE)));
}
