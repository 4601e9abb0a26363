import { existsSync } from 'node:fs';
import { rm, rmdir, writeFile } from 'node:fs/promises';
import { maxNodes, nodeAddress } from './addresses.ts';
import { readyNodes } from './api.ts';
import { removeCgroups } from './cgroups.ts';
import { controlPlane } from './control-plane.ts';
import { loadArchive } from './load.ts';
import { locked } from './lock.ts';
import { checkKernel, checkMachine, clusterTools, installTools, raiseWatchLimit } from './machine-check.ts';
import { inside, killMachines, runningMachines, type Machine } from './machines.ts';
import { removeHostLink, routeServices, setLink } from './network.ts';
import { nodeName } from './node.ts';
import { checkName, pathsOf, stateRoot } from './paths.ts';
import { ensurePrograms, programsAreBuilt } from './programs.ts';
import { silent, type Report } from './progress.ts';
import { start } from './start.ts';
import { createState, readState, type ClusterState } from './state.ts';
import { recycle } from './volumes.ts';

export interface UpOptions {
  name: string;
  /** @default 3; 0 is a control plane without nodes, for tests of the API alone */
  nodes?: number;
  /** Notice a lost node after 10 s instead of Kubernetes' own 50 s. @default true */
  fastNodeLoss?: boolean;
  /** @default tells nobody */
  report?: Report;
}

/** A node as the machine below it sees it. */
export interface LocalNode {
  name: string;
  address: string;
}

/** A Kubernetes cluster on this machine. */
export interface LocalCluster {
  name: string;
  /** Path of the administrator's kubeconfig. */
  kubeconfig: string;
  /** Path of the kubectl that fits the cluster. */
  kubectl: string;
  nodes: LocalNode[];
  /** A directory at the same path on this machine and on every node: stands in for a shared file system. */
  sharedDir: string;
  /** The API server's log of every finished request, one JSON audit event per line. */
  auditLog: string;
  /** Cuts a node's network link. Its processes go on, as those of a real node behind a dead switch. */
  loseNode(node: string): Promise<void>;
  restoreNode(node: string): Promise<void>;
  /** Lets this machine reach Services by that node, until its link is cut; other connections to Services end by it. */
  reachServicesBy(node: string): Promise<void>;
  /** Runs a command on a node, among its files, processes and network; returns its output. */
  exec(node: string, command: readonly string[]): Promise<string>;
  /** Loads a docker-archive into all nodes; one that is there already costs nothing. */
  load(archive: string): Promise<void>;
  /** Empties and offers anew the local volumes whose claims were deleted; returns their names. */
  recycleVolumes(): Promise<string[]>;
  down(): Promise<void>;
}

/**
 * Brings a cluster up, or what is missing of it; one that is up is left alone. A cluster whose
 * processes are gone (a reboot) starts again with the objects and volumes it had.
 */
export async function up({ name, nodes = 3, fastNodeLoss = true, report = silent }: UpOptions): Promise<LocalCluster> {
  checkName(name);
  if (!(Number.isInteger(nodes) && nodes >= 0 && nodes <= maxNodes)) {
    throw new Error(`the number of nodes is 0 to ${maxNodes}, not ${nodes}`);
  }
  return await locked(lockOf(name), async () => {
    const known = await readState(name);
    if (known && known.nodes !== nodes) {
      throw new Error(`cluster ${name} has ${known.nodes} nodes, not ${nodes}: take it down first`);
    }
    if (known && (await isHealthy(known))) return handle(known);
    await checkMachine(!(await programsAreBuilt()));
    await installTools(clusterTools, report);
    await checkKernel();
    await raiseWatchLimit();
    const programs = known?.programs ?? (await ensurePrograms(report));
    const state = known ?? (await createState({ name, nodes, fastNodeLoss, programs }));
    const { starting } = pathsOf(name);
    await writeFile(starting, '');
    await start(state, report);
    await rm(starting);
    return handle(state);
  });
}

/** The cluster of that name, if it is there; whether it is well tells `isUp`. */
export async function find(name: string): Promise<LocalCluster | undefined> {
  const state = await readState(checkName(name));
  return state && handle(state);
}

/** Whether all of the cluster runs: its API server answers and all its nodes are Ready. */
export async function isUp(name: string): Promise<boolean> {
  const state = await readState(checkName(name));
  return state !== undefined && (await isHealthy(state));
}

/** Removes every trace of a cluster: processes, namespaces, links, mounts, cgroups, files. Also of one half made. */
export async function down(name: string): Promise<void> {
  checkName(name);
  await locked(lockOf(name), async () => {
    const index = await indexOf(name);
    // Mounts and links are in namespaces of the machines and end with them.
    await killMachines(name);
    if (index !== undefined) await removeHostLink(index);
    await removeCgroups(name);
    // The state goes with the rest of the files: until then the index is taken.
    await rm(pathsOf(name).directory, { recursive: true, force: true, maxRetries: 3 });
    await rmdir(stateRoot).catch(() => undefined);
  });
}

/** Apart from the locks that are taken under it: a cluster may have the name of one of those. */
const lockOf = (name: string): string => `cluster/${name}`;

async function indexOf(name: string): Promise<number | undefined> {
  const state = await readState(name).catch(() => undefined);
  return state?.index;
}

/** Nodes are Ready before DNS, volumes and routes are there: after a start that was cut off they tell nothing. */
async function isHealthy(state: ClusterState): Promise<boolean> {
  if (existsSync(pathsOf(state.name).starting)) return false;
  const running = (await runningMachines(state.name)).map(machine => machine.name);
  const wanted = [controlPlane, ...nodeNames(state)];
  if (!wanted.every(machine => running.includes(machine))) return false;
  const ready = await readyNodes(state).catch(() => undefined);
  return ready !== undefined && nodeNames(state).every(node => ready.includes(node));
}

const nodeNames = ({ nodes }: ClusterState): string[] => Array.from({ length: nodes }, (_, i) => nodeName(i + 1));

function handle(state: ClusterState): LocalCluster {
  const { name, index } = state;
  const { kubeconfig, kubectl, shared: sharedDir, auditLog } = pathsOf(name);
  const link = async (node: string, to: 'up' | 'down'): Promise<void> => {
    const control = await machine(state, controlPlane);
    await setLink(control, (await machine(state, node)).name, to);
    await routeServices(state, control);
  };
  return {
    name,
    kubeconfig,
    kubectl,
    nodes: nodeNames(state).map((node, i) => ({ name: node, address: nodeAddress(index, i + 1) })),
    sharedDir,
    auditLog,
    loseNode: node => link(node, 'down'),
    restoreNode: node => link(node, 'up'),
    reachServicesBy: async node => await routeServices(state, await machine(state, controlPlane), node),
    exec: async (node, command) => await inside(await machine(state, node), 'all', command),
    load: async archive => {
      const machines = await Promise.all(nodeNames(state).map(node => machine(state, node)));
      await loadArchive(name, machines, archive);
    },
    recycleVolumes: () => recycle(state),
    down: () => down(name),
  };
}

async function machine(state: ClusterState, wanted: string): Promise<Machine> {
  const found = (await runningMachines(state.name)).find(({ name }) => name === wanted);
  if (found) return found;
  throw new Error(
    `cluster ${state.name} has no machine ${wanted} that runs; its nodes: ${nodeNames(state).join(', ')}`,
  );
}
