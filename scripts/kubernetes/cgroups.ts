import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './run.ts';

/** A mounted tree of cgroups: the one of version 2, or one of several of version 1. */
export interface Hierarchy {
  path: string;
  version: 1 | 2;
}

/** All cgroups of local clusters lie below this one. */
const top = 'polardb-stack-local';

/** The cgroup below which a machine keeps its pods, as the kubelet names it. */
export const machineCgroup = (cluster: string, machine: string): string => `/${top}/${cluster}/${machine}`;

/** Reads the cgroup trees out of /proc/self/mounts. */
export function parseHierarchies(mounts: string): Hierarchy[] {
  return mounts.split('\n').flatMap((line): Hierarchy[] => {
    const [, path = '', type] = line.split(' ');
    if (type === 'cgroup') return [{ path, version: 1 }];
    return type === 'cgroup2' ? [{ path, version: 2 }] : [];
  });
}

export const hierarchies = async (): Promise<Hierarchy[]> =>
  parseHierarchies(await readFile('/proc/self/mounts', 'utf8'));

/**
 * Makes the cgroups of a machine and returns the files by which its first process joins them. That
 * process goes into a leaf beside the pods: version 2 allows no process in a cgroup with controllers.
 * @param cpuWeight share of the processors while all machines want them; that of a node is 1
 */
export async function ensureCgroups(cluster: string, machine: string, cpuWeight: number): Promise<string[]> {
  const trees = await hierarchies();
  // Beside version 1 it has no controller that pods need.
  const isOnly2 = trees.every(tree => tree.version === 2);
  for (const tree of trees) {
    let directory = tree.path;
    for (const part of [top, cluster, machine, 'system']) {
      if (isOnly2) await delegate(directory);
      directory = join(directory, part);
      await mkdir(directory, { recursive: true });
      if (tree.version === 1) await inheritCpus(directory);
      if (part === machine) await weigh(directory, cpuWeight);
    }
  }
  return trees.map(tree => join(tree.path, machineCgroup(cluster, machine), 'system', 'cgroup.procs'));
}

/** Version 2: children get a controller only when their parent hands it on. */
async function delegate(directory: string): Promise<void> {
  const controllers = (await readFile(join(directory, 'cgroup.controllers'), 'utf8')).trim();
  if (controllers === '') return;
  const wanted = controllers.split(' ').map(name => `+${name}`);
  try {
    await writeFile(join(directory, 'cgroup.subtree_control'), wanted.join(' '));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    throw new Error(
      `${directory} hands no controllers on while processes are in it: this is a container without an init that moves ` +
        'them away, as systemd does; run it on the machine itself, or in a container with such an init',
    );
  }
}

/** Version 1: a new cpuset is empty and takes no process until it names processors and memory. */
async function inheritCpus(directory: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const own = join(directory, file);
    if (!existsSync(own) || (await readFile(own, 'utf8')).trim() !== '') continue;
    await writeFile(own, await readFile(join(directory, '..', file), 'utf8'));
  }
}

/** The files of version 1 and 2, with what they hold by default. */
const weights = { 'cpu.shares': 1024, 'cpu.weight': 100 };

async function weigh(directory: string, cpuWeight: number): Promise<void> {
  for (const [name, usual] of Object.entries(weights)) {
    const file = join(directory, name);
    if (existsSync(file)) await writeFile(file, String(usual * cpuWeight));
  }
}

/** Process ids in the cgroups of a cluster: a second look at what may still run of it. */
export async function cgroupProcesses(cluster: string): Promise<number[]> {
  const found = new Set<number>();
  for (const tree of await hierarchies()) {
    for (const directory of await below(join(tree.path, top, cluster))) {
      const text = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => '');
      for (const pid of text.split('\n').filter(Boolean)) found.add(Number(pid));
    }
  }
  return [...found];
}

/** Removes the cgroups of a cluster, and the common one when it was the last. Their processes must have ended. */
export async function removeCgroups(cluster: string): Promise<void> {
  for (const tree of await hierarchies()) {
    const root = join(tree.path, top, cluster);
    // The kernel lets a cgroup go a moment after its last process.
    await until(`removing ${root}`, 20, async () => {
      for (const directory of await below(root)) await rmdir(directory);
      return true;
    });
    await rmdir(join(tree.path, top)).catch(() => undefined);
  }
}

/** The directory and all below it, deepest first; nothing when it does not exist. */
async function below(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return [];
  const children = entries.filter(entry => entry.isDirectory()).map(entry => below(join(directory, entry.name)));
  return [...(await Promise.all(children)).flat(), directory];
}
