import { inClusterCredentials } from './kube/credentials.ts';
import { KubeClient } from './kube/client.ts';
import { LifecycleOperator } from './lifecycle/operator.ts';
import type { ClusterPlan } from './lifecycle/plan.ts';
import { createLog, type LogLevel } from './observe/log.ts';
import { Metrics } from './observe/metrics.ts';
import { startHealthServer } from './observe/server.ts';

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
  const health = await startHealthServer({ port: options.healthPort, ready: { watches: synced } });
  const scrape = await startHealthServer({
    port: options.metricsPort,
    metrics: { contentType: metrics.contentType, text: () => metrics.text() },
  });
  const end = async (signal: string): Promise<void> => {
    log.info('ending', { signal });
    const ended = await operator.drain();
    await Promise.all([health.close(), scrape.close()]);
    log.info('ended', { allReconcilesEnded: ended });
    await log.close();
    process.exit(0);
  };
  process.once('SIGTERM', signal => void end(signal));
  process.once('SIGINT', signal => void end(signal));
  log.info('starting', { image: options.image, watchNamespaces: options.watchNamespaces ?? 'all' });
  await operator.start();
}
