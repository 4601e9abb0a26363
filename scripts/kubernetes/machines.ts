import { spawn } from 'node:child_process';
import { existsSync, openSync, closeSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cgroupProcesses, ensureCgroups } from './cgroups.ts';
import { machineDirectory } from './paths.ts';
import { run, until } from './run.ts';

/** What the supervisor (e2e/kubernetes/supervisor) does as the first process of a machine. */
export interface MachinePlan {
  setup: string[][];
  root?: { binds: { source: string; target: string }[] };
  /** Share of the processors while all machines want them; default 1. */
  cpuWeight?: number;
  programs: Program[];
}

export interface Program {
  name: string;
  path: string;
  args: string[];
  log: string;
  env?: string[];
  /** host:port that must accept connections before the start. */
  after?: string;
}

/**
 * Environment of Kubernetes' own programs: a machine that everything shares has memory sooner than processor time, of which
 * the collection of garbage was a sixth. Below the limit it comes seldom, near it as often as it must.
 */
export const seldomCollected: string[] = ['GOGC=300', 'GOMEMLIMIT=1GiB'];

/** The first process of a machine that runs, as the outside sees it. */
export interface Machine {
  name: string;
  pid: number;
}

/** Every process of a cluster outside of its containers carries this variable: `<cluster>/<machine>`. */
const marker = 'POLARDB_STACK_MACHINE';

interface Found {
  pid: number;
  machine: string;
  /** Whether it is process 1 of a namespace of its own. */
  first: boolean;
}

/** Machines of the cluster that run now. */
export async function runningMachines(cluster: string): Promise<Machine[]> {
  const found = await markedProcesses(cluster);
  return found.filter(({ first }) => first).map(({ pid, machine }) => ({ name: machine, pid }));
}

/** Starts a machine and returns when it stands; its programs wait until `openGate`. */
export async function startMachine(
  cluster: string,
  name: string,
  supervisor: string,
  plan: MachinePlan,
): Promise<Machine> {
  const directory = machineDirectory(cluster, name);
  const inside = (file: string): string => join(directory, file);
  const [prepared, gate, scratch] = [inside('prepared'), inside('gate'), inside('root')];
  await Promise.all([prepared, gate].map(file => rm(file, { force: true })));
  await Promise.all([inside('log'), scratch].map(path => mkdir(path, { recursive: true })));
  const root = plan.root && { ...plan.root, scratch };
  const cgroups = await ensureCgroups(cluster, name, plan.cpuWeight ?? 1);
  await writeFile(inside('plan.json'), JSON.stringify({ ...plan, root, hostname: name, prepared, gate, cgroups }));
  launch(`${cluster}/${name}`, [supervisor, inside('plan.json')], inside('log/supervisor.log'));
  return await until(`start of machine ${name} (see ${inside('log/supervisor.log')})`, 20, async () => {
    const machine = existsSync(prepared) ? await runningMachines(cluster) : [];
    return machine.find(running => running.name === name);
  });
}

/** Lets the programs of a machine start. */
export async function openGate(cluster: string, machine: string): Promise<void> {
  await writeFile(join(machineDirectory(cluster, machine), 'gate'), '');
}

/** Runs a program inside a machine: in its network, and for `all` also among its files and processes. */
export async function inside(machine: Machine, which: 'network' | 'all', command: readonly string[]): Promise<string> {
  return await run('nsenter', [...entering(machine, which), ...command]);
}

/** Arguments of nsenter(1) that enter a machine. */
export function entering({ pid }: Machine, which: 'network' | 'all'): string[] {
  return ['--target', String(pid), ...(which === 'all' ? ['--all'] : ['--net']), '--'];
}

/**
 * Ends every process of a cluster. Killing the first process of a machine ends all others in it,
 * containers too; whatever is left after that (of a start that was cut off) is killed one by one.
 */
export async function killMachines(cluster: string): Promise<void> {
  await until(`end of the processes of cluster ${cluster}`, 30, async () => {
    const marked = await markedProcesses(cluster);
    const firsts = marked.filter(({ first }) => first).map(({ pid }) => pid);
    const rest = [...marked.map(({ pid }) => pid), ...(await cgroupProcesses(cluster))];
    for (const pid of firsts.length > 0 ? firsts : rest) kill(pid);
    return rest.length === 0 ? true : undefined;
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function launch(mark: string, command: string[], logFile: string): void {
  const log = openSync(logFile, 'a');
  const child = spawn('/usr/bin/unshare', ['--fork', '--pid', '--mount', '--net', '--uts', ...command], {
    detached: true,
    cwd: '/',
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', [marker]: mark },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
}

async function markedProcesses(cluster: string): Promise<Found[]> {
  const pids = (await readdir('/proc')).filter(entry => /^\d+$/.test(entry)).map(Number);
  const found = await Promise.all(pids.map(pid => examine(pid, cluster)));
  return found.filter(entry => entry !== undefined);
}

async function examine(pid: number, cluster: string): Promise<Found | undefined> {
  try {
    const machine = machineOf(await readFile(`/proc/${pid}/environ`, 'utf8'), cluster);
    if (machine === undefined) return undefined;
    return { pid, machine, first: isFirst(await readFile(`/proc/${pid}/status`, 'utf8')) };
  } catch {
    return undefined; // it ended meanwhile
  }
}

/** The machine that a process belongs to by its environment, if it is one of the cluster. */
export function machineOf(environ: string, cluster: string): string | undefined {
  const prefix = `${marker}=${cluster}/`;
  return environ
    .split('\0')
    .find(entry => entry.startsWith(prefix))
    ?.slice(prefix.length);
}

/** Whether /proc/PID/status shows the first process of a namespace below ours. */
export function isFirst(status: string): boolean {
  const ids = /^NSpid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
  return ids.length > 1 && ids.at(-1) === '1';
}
