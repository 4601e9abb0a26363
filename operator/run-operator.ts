import { inClusterCredentials } from './kube/credentials.ts';
import { KubeClient } from './kube/client.ts';
import { LifecycleOperator } from './lifecycle/operator.ts';
import type { ClusterPlan } from './lifecycle/plan.ts';
import { createLog, type LogLevel } from './observe/log.ts';
import { Metrics } from './observe/metrics.ts';
import { servePart } from './serve-part.ts';

export interface OperatorOptions {
  image: string;
  imagePullPolicy: ClusterPlan['images']['pullPolicy'];
  settingsNamespace: string;
  watchNamespaces?: string[];
  filterOperatorName: string;
  workers: number;
  healthPort: number;
  metricsPort: number;
  logLevel: LogLevel;
}

/** Runs the part `operator` until it is told to end. */
export async function runOperator(options: OperatorOptions): Promise<void> {
  const log = createLog({ part: 'operator', level: options.logLevel });
  const { POD_NAME: podName = 'polardb-stack-operator', POD_NAMESPACE: systemNamespace = 'polardb-system' } =
    process.env;
  const metrics = new Metrics();
  metrics.collectProcess();
  const client = new KubeClient({
    credentials: inClusterCredentials(),
    fieldManager: 'polardb-stack-operator',
    hooks: [metrics.apiCalls(process.env.KUBERNETES_SERVICE_HOST ?? '')],
  });
  const operator: LifecycleOperator = new LifecycleOperator({
    client,
    log,
    metrics,
    flowEvents: metrics.flow,
    election: {
      lease: { namespace: systemNamespace, name: 'polardb-stack-operator' },
      identity: `${podName}_${process.pid}_${Date.now()}`,
    },
    operatorName: options.filterOperatorName,
    systemNamespace,
    podName,
    settingsNamespace: options.settingsNamespace,
    watchNamespaces: options.watchNamespaces,
    stackImage: options.image,
    pullPolicy: options.imagePullPolicy,
    workers: options.workers,
  });
  const synced = (): string | undefined => {
    const late = operator.watchStats.filter(watch => !watch.isSynced).map(watch => watch.kind);
    return late.length === 0 ? undefined : `first lists not there yet: ${late.join(', ')}`;
  };
  await servePart({
    part: operator,
    log,
    metrics,
    ports: options,
    ready: { watches: synced },
    about: { image: options.image, watchNamespaces: options.watchNamespaces ?? 'all' },
  });
}
