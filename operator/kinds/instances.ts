import type { MPDCluster } from '../../crds/mpdcluster.ts';
import { podName } from '../model/names.ts';
import { POD_NETWORK_PORTS, type InstancePorts } from '../model/ports.ts';
import type { Role } from '../model/roles.ts';

/** One instance that has its ids, as status tells it to operator and cluster manager alike. */
export interface ClusterInstance {
  id: string;
  physicalId: string;
  /** What it is at present; the record decides who may be RW. */
  role: Role;
  ports: InstancePorts;
  podName: string;
  /** Tells members of a shared volume apart on it. */
  hostId?: number;
}

/** Instances that have their ids; RW first, then in the order of their ids. A first creation begins with the first. */
export function instancesOf({ metadata, status }: Pick<MPDCluster, 'metadata' | 'status'>): ClusterInstance[] {
  const found = Object.entries(status.dbInstanceStatus ?? {}).map(([id, it]): ClusterInstance => {
    const { workingPort: engine, agentPort: agent, healthPort: health } = it.netInfo ?? {};
    const physicalId = it.physicalInsId ?? id;
    return {
      id,
      physicalId,
      role: it.insType === 'rw' || it.insType === 'standby' ? it.insType : 'ro',
      ports: {
        engine: engine ?? POD_NETWORK_PORTS.engine,
        agent: agent ?? POD_NETWORK_PORTS.agent,
        health: health ?? POD_NETWORK_PORTS.health,
      },
      podName: podName(metadata.name, physicalId, id),
      ...(it.polarFsHostId && { hostId: Number(it.polarFsHostId) }),
    };
  });
  const rank = (it: ClusterInstance): number => (it.role === 'rw' ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b) || Number(a.id) - Number(b.id));
}
