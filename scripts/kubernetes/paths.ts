import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Everything that a cluster keeps lies below here, in a directory with its name. */
export const stateRoot = '/var/lib/polardb-stack-local';

/** What may be thrown away at any time and is expensive to make again. */
export const cacheRoot = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'polardb-stack');

/** The project's own directory. */
export const projectRoot = resolve(import.meta.dirname, '../..');

/** Files of one cluster. */
export interface ClusterPaths {
  directory: string;
  state: string;
  /** There while a start is under way, and after one that was cut off. */
  starting: string;
  kubeconfig: string;
  /** The cluster's own kubectl, see writeKubectl. */
  kubectl: string;
  pki: string;
  auditLog: string;
  /** A directory that all nodes and the machine see at the same path. */
  shared: string;
}

export function pathsOf(name: string): ClusterPaths {
  const directory = join(stateRoot, name);
  return {
    directory,
    state: join(directory, 'cluster.json'),
    starting: join(directory, 'starting'),
    kubeconfig: join(directory, 'kubeconfig'),
    kubectl: join(directory, 'bin', 'kubectl'),
    pki: join(directory, 'pki'),
    auditLog: join(directory, 'control-plane', 'log', 'audit.log'),
    shared: join(directory, 'shared'),
  };
}

/** Directory of one machine of a cluster: the control plane or a node. */
export const machineDirectory = (cluster: string, machine: string): string => join(stateRoot, cluster, machine);

/** Cluster names become directories, cgroups and host names. */
export function checkName(name: string): string {
  if (/^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/.test(name)) return name;
  throw new Error(`"${name}" is no name of a local cluster: up to 20 of a-z, 0-9 and -, beginning with a letter`);
}
