import { randomUUID } from 'node:crypto';
import { ClusterManager } from './failover/operator.ts';
import { KubeClient } from './kube/client.ts';
import { inClusterCredentials } from './kube/credentials.ts';
import { createLog, type LogLevel } from './observe/log.ts';
import { Metrics } from './observe/metrics.ts';
import { servePart } from './serve-part.ts';
import { PROGRAM_VERSION } from './model/version.ts';

export interface ClusterManagerOptions {
  watchNamespaces?: string[];
  filterOperatorName: string;
  healthPort: number;
  metricsPort: number;
  apiPort: number;
  logLevel: LogLevel;
}

/** Protocol, CM leadership: the renew deadline and a margin are shorter than the Lease. */
const ELECTION = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 500 };

/** Runs the part `cluster-manager` until it is told to end. */
export async function runClusterManager(options: ClusterManagerOptions): Promise<void> {
  const log = createLog({ part: 'cluster-manager', level: options.logLevel });
  const { POD_NAME: podName = 'polardb-stack-cluster-manager', POD_NAMESPACE: systemNamespace = 'polardb-system' } =
    process.env;
  const metrics = new Metrics();
  metrics.collectProcess();
  const client = new KubeClient({
    credentials: inClusterCredentials(),
    fieldManager: 'polardb-stack-cluster-manager',
    hooks: [metrics.apiCalls(process.env.KUBERNETES_SERVICE_HOST ?? '')],
  });
  // One process start, never a pod's name: what a former process asked for is nobody's.
  const identity = randomUUID();
  const manager = new ClusterManager({
    client,
    log,
    metrics,
    registry: metrics.registry,
    election: {
      lease: { namespace: systemNamespace, name: 'polardb-stack-cluster-manager' },
      identity: `${podName}_${identity}`,
      timing: ELECTION,
    },
    identity,
    api: { port: options.apiPort, version: PROGRAM_VERSION },
    operatorName: options.filterOperatorName,
    systemNamespace,
    podName,
    watchNamespaces: options.watchNamespaces,
    drainMs: 5_000,
  });
  await servePart({
    part: manager,
    log,
    metrics,
    ports: options,
    ready: { manager: () => manager.lack },
    about: { identity, watchNamespaces: options.watchNamespaces ?? 'all' },
  });
}
