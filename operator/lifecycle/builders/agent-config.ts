import type { AgentConfigInput } from '../../agent-api/config.ts';
import { recordName } from '../../model/names.ts';
import type { ClusterPlan } from '../plan.ts';
import type { ClusterInstance } from '../../kinds/instances.ts';

/** Mount points of the engine container. The engine image stays the user's own, so nothing of its own is covered. */
export const PATHS = {
  data: '/data',
  shared: '/shared',
  run: '/run/polardb-stack',
  tls: '/etc/polardb-stack/tls',
  replicator: '/etc/polardb-stack/replicator',
} as const;

/** What the agent of one instance is told. It never has a role: roles come by command and record. */
export function buildAgentConfig(plan: ClusterPlan, instance: ClusterInstance): AgentConfigInput {
  return {
    cluster: { namespace: plan.namespace, name: plan.name, uid: plan.uid },
    group: plan.name,
    instanceId: instance.id,
    dbType: plan.engine,
    topology: plan.topology,
    ports: instance.ports,
    ...(instance.hostId !== undefined && { hostId: instance.hostId }),
    paths: {
      data: PATHS.data,
      ...(plan.volume.kind === 'shared' ? { shared: PATHS.shared } : {}),
      run: PATHS.run,
      tls: PATHS.tls,
      replicator: `${PATHS.replicator}/Password`,
      log: `${PATHS.data}/log`,
    },
    record: { namespace: plan.namespace, leaseName: recordName(plan.name) },
  };
}
