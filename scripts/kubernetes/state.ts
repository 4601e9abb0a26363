import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freeIndex } from './addresses.ts';
import type { ClusterSettings } from './control-plane.ts';
import { locked } from './lock.ts';
import { routesOfMachine } from './network.ts';
import { pathsOf, stateRoot } from './paths.ts';

/** What is kept about a cluster from its first moment until `down`. */
export interface ClusterState extends ClusterSettings {
  /** Directory of the programs it was made with. */
  programs: string;
}

/** The state of a cluster that is up or partly so; undefined when there is none of that name. */
export async function readState(name: string): Promise<ClusterState | undefined> {
  try {
    return JSON.parse(await readFile(pathsOf(name).state, 'utf8')) as ClusterState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Names of all clusters of this machine. */
export async function clusterNames(): Promise<string[]> {
  const entries = await readdir(stateRoot, { withFileTypes: true }).catch(() => []);
  return entries.filter(entry => entry.isDirectory()).map(entry => entry.name);
}

/** Claims an index, with its network, for a new cluster. Two that start at once never get the same. */
export async function createState(wanted: Omit<ClusterState, 'index'>): Promise<ClusterState> {
  return await locked('indexes', async () => {
    const others = await Promise.all((await clusterNames()).map(name => readState(name)));
    const taken = others.flatMap(other => other?.index ?? []);
    const state = { ...wanted, index: freeIndex(taken, await routesOfMachine()) };
    const { directory, state: file } = pathsOf(state.name);
    // A `down` that was cut off may have left some of the files of a former cluster, of other addresses.
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'cluster.json.new'), JSON.stringify(state));
    await rename(join(directory, 'cluster.json.new'), file);
    return state;
  });
}
