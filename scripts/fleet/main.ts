import { randomUUID } from 'node:crypto';
import { ClusterManager } from '../../operator/failover/operator.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { findCredentials } from '../../operator/kube/credentials.ts';
import { createLog } from '../../operator/observe/log.ts';
import { Metrics } from '../../operator/observe/metrics.ts';

/** Runs a cluster manager on this machine, by the kubeconfig that is named, as the benchmark of many clusters needs it. */
const [kubeconfig = ''] = process.argv.slice(2);
const identity = randomUUID();
const metrics = new Metrics();
const manager = new ClusterManager({
  client: new KubeClient({
    credentials: findCredentials({ kubeconfig }),
    fieldManager: 'polardb-stack-cluster-manager',
  }),
  log: createLog({ part: 'cluster-manager', level: 'warn' }),
  metrics,
  registry: metrics.registry,
  election: {
    lease: { namespace: 'polardb-system', name: 'polardb-stack-cluster-manager' },
    identity,
    timing: { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 500 },
  },
  identity,
  operatorName: 'polar-mpd',
  podName: 'fleet',
  systemNamespace: 'polardb-system',
  drainMs: 5_000,
});
// An orderly end, so that profiles are written.
process.once('SIGTERM', () => process.exit());
await manager.start();
