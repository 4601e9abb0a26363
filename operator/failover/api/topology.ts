import type { InstanceStatus, MPDClusterStatus } from '../../../crds/mpdcluster.ts';
import { formatAddress } from '../../model/address.ts';

/** One instance in the form of the original's `status?type=visual`. */
export interface VisualInstance {
  /** `address:port`. */
  endpoint: string;
  pod_name: string;
  data_path: string;
  user: string;
  /** RUNNING, STARTING, STOPPING, FAILED or PENDING. */
  phase: string;
  /** RFC 3339; the original gave local time. */
  start_at: string;
  sync_status: string;
  role: string;
}

/** One cluster manager: its pod, and `leader` or `standby`. */
export interface ManagerPlace {
  endpoint: string;
  role: 'leader' | 'standby';
}

/** Topology in the form of the original's `status?type=visual` (facts: cluster manager, C6); what we have not is empty. */
export interface VisualTopology {
  phase: string;
  cluster_manager: ManagerPlace[];
  rw?: VisualInstance;
  ro: VisualInstance[];
  master?: VisualInstance;
  standby: VisualInstance[];
  standby_cluster: [];
  proxy: [];
  vip: [];
  plugins: [];
  universe_explorer: [];
  backup_agent: [];
  node_driver: [];
}

/** Phases of the original's cluster manager. */
const PHASES: Readonly<Record<string, string>> = {
  Running: 'RunningPhase',
  SwitchRw: 'SwitchingPhase',
  Stopped: 'StopPhase',
};

/** @param isHeld automatic moves are held off (`DisableAllPhase` of the original) */
export function visualTopology(status: MPDClusterStatus, managers: ManagerPlace[], isHeld: boolean): VisualTopology {
  const instances = Object.entries(status.dbInstanceStatus ?? {});
  const of = (type: string): VisualInstance[] =>
    instances.filter(([, it]) => it.insType === type).map(([id, it]) => visualInstance(id, it, status));
  const [rw] = of('rw');
  return {
    phase: isHeld ? 'DisableAllPhase' : (PHASES[status.clusterStatus ?? ''] ?? 'RunningPhase'),
    cluster_manager: managers,
    ...(rw && { rw }),
    ro: of('ro'),
    standby: of('standby'),
    standby_cluster: [],
    proxy: [],
    vip: [],
    plugins: [],
    universe_explorer: [],
    backup_agent: [],
    node_driver: [],
  };
}

function visualInstance(id: string, instance: InstanceStatus, { leaderInstanceId }: MPDClusterStatus): VisualInstance {
  return {
    endpoint: endpointOf(instance) ?? '',
    pod_name: instance.podName ?? '',
    data_path: '',
    user: '',
    phase: instance.currentState?.state ?? 'PENDING',
    start_at: instance.currentState?.startAt ?? '',
    sync_status: id === leaderInstanceId ? 'SYNC' : 'ASYNC',
    role: (instance.insType ?? '').toUpperCase(),
  };
}

/**
 * `address:port` under which an instance is known to clients of the original's API: on the host network the address that
 * clients reach the host by. Undefined while it has none.
 */
export function endpointOf({ netInfo, hostClientIP }: InstanceStatus): string | undefined {
  const { netType, workingHostIP, workingPort: port } = netInfo ?? {};
  const address = netType === 'host' ? (hostClientIP ?? workingHostIP) : workingHostIP;
  return address === undefined || port === undefined ? undefined : formatAddress(address, port);
}

/** Also as the members of the cluster know it. */
const isAt = (instance: InstanceStatus, text: string): boolean =>
  [instance, { ...instance, hostClientIP: undefined }].some(it => endpointOf(it) === text);

/**
 * Instance that a caller means: by its id, as `address:port` (the original's way), or by the name of its pod.
 * @returns undefined when no instance fits
 */
export function findInstance(status: MPDClusterStatus, text: string): string | undefined {
  const found = Object.entries(status.dbInstanceStatus ?? {}).find(
    ([id, it]) => id === text || it.podName === text || isAt(it, text),
  );
  return found?.[0];
}
