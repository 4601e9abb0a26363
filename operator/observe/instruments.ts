import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

/**
 * Every number of our own, in one table. Named as in controller-runtime and client-go where they mean the same, so that
 * dashboards for Go operators work. Labels never carry names of clusters or objects: the number of series stays small.
 */

/** controller-runtime's. Seconds. */
const RECONCILE_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 1.75,
  2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
/** client-go's. Seconds. */
const QUEUE_BUCKETS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1000];
const REQUEST_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
/** One run of a step: from a look at a cache to a slow call. Seconds. */
const STEP_BUCKETS = [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60];

export type Instruments = ReturnType<typeof instrumentsOf>;

export function instrumentsOf(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    buckets: number[],
    ...labelNames: L[]
  ): Histogram<L> => new Histogram({ name, help, buckets, labelNames, registers });

  return {
    reconciles: counter(
      'controller_runtime_reconcile_total',
      'Reconciles that ended, by result: success, requeue_after (looks again later by itself) or error.',
      'controller',
      'result',
    ),
    reconcileErrors: counter('controller_runtime_reconcile_errors_total', 'Reconciles that failed.', 'controller'),
    reconcileSeconds: histogram(
      'controller_runtime_reconcile_time_seconds',
      'Duration of a reconcile.',
      RECONCILE_BUCKETS,
      'controller',
    ),
    activeWorkers: gauge('controller_runtime_active_workers', 'Reconciles that run now.', 'controller'),
    maxWorkers: gauge(
      'controller_runtime_max_concurrent_reconciles',
      'Reconciles that may run at the same time.',
      'controller',
    ),
    queueDepth: gauge('workqueue_depth', 'Keys that wait for a worker.', 'name'),
    queueAdds: counter(
      'workqueue_adds_total',
      'Keys added to the queue, whether they waited there already or not.',
      'name',
    ),
    queueRetries: counter('workqueue_retries_total', 'Keys put back because their reconcile failed.', 'name'),
    queueSeconds: histogram(
      'workqueue_queue_duration_seconds',
      'Time that a key waited for a worker.',
      QUEUE_BUCKETS,
      'name',
    ),
    workSeconds: histogram('workqueue_work_duration_seconds', 'Time that a key was worked on.', QUEUE_BUCKETS, 'name'),
    unfinishedSeconds: gauge(
      'workqueue_unfinished_work_seconds',
      'Time spent so far on all keys that are worked on now. Growing without end: something hangs.',
      'name',
    ),
    longestSeconds: gauge(
      'workqueue_longest_running_processor_seconds',
      'Time spent so far on the key that is worked on the longest.',
      'name',
    ),
    requests: counter(
      'rest_client_requests_total',
      'Requests to the API server, by status code ("<error>": no answer came), method and host.',
      'code',
      'method',
      'host',
    ),
    requestSeconds: histogram(
      'rest_client_request_duration_seconds',
      'Time to the answer of a request to the API server; for a watch, to its beginning.',
      REQUEST_BUCKETS,
      'verb',
      'host',
    ),
    leader: gauge('leader_election_master_status', '1 while this process is the leader, else 0.', 'name'),
    lists: counter('reflector_lists_total', 'Full lists that were read to begin or mend a watch.', 'name'),
    watches: counter('reflector_watches_total', 'Watches that were opened.', 'name'),
    watchFailures: counter('polardb_stack_reflector_failures_total', 'Lists and watches that failed.', 'name'),
    cachedObjects: gauge('polardb_stack_cache_objects', 'Objects that are held in memory.', 'name'),
    steps: counter(
      'polardb_stack_operation_steps_total',
      'Events of operation steps: begun (an attempt), waiting (for another reason than before), done, failed.',
      'type',
      'step',
      'event',
    ),
    stepSeconds: histogram(
      'polardb_stack_operation_step_seconds',
      'Duration of one run of a step that had news: its work without its waits.',
      STEP_BUCKETS,
      'type',
      'step',
    ),
    operations: counter(
      'polardb_stack_operations_total',
      'Operations that ended or were interrupted, by type and phase.',
      'type',
      'phase',
    ),
  };
}
