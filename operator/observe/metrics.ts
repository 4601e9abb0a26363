import { collectDefaultMetrics, Registry } from 'prom-client';
import { instrumentsOf } from './instruments.ts';
import type { Instruments } from './instruments.ts';

/** The numbers of one process. docs/operations/metrics.md lists them; a test holds the page against this room. */

/** What a controller and its queue report. `events` and `run` fit kube's queue. */
export interface ControllerMetrics {
  readonly events: {
    readonly added: () => void;
    readonly retried: () => void;
    /** A key is taken up, this long after it was due, ms. */
    readonly started: (waitedMs: number) => void;
  };
  /** The same function, measured and counted by its result. */
  readonly measured: <R extends { requeueAfterMs: number } | undefined>(
    run: (key: string) => Promise<R>,
  ) => (key: string) => Promise<R>;
}

/** What a mirror of API objects tells of itself; counts since its start. Fits `stats` of kube's informers. */
export interface WatchStats {
  readonly lists: number;
  readonly watches: number;
  readonly failures: number;
  readonly objects: number;
}

/** Fits the FlowEvent of the workflow room. */
export interface FlowMetricsEvent {
  readonly flow: string;
  readonly kind: string;
  readonly step?: string;
  readonly seconds?: number;
  readonly record: { readonly phase: string };
}

const HTTP_METHOD: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
};

export class Metrics {
  /** For the numbers that one part alone has: it registers them itself. */
  readonly registry = new Registry();
  private readonly instruments: Instruments = instrumentsOf(this.registry);
  /** Read the present state of things; run at each scrape. */
  private readonly readers: (() => void)[] = [];
  private readonly now: () => number;

  /** `now`: monotonic, ms. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  /** Also the numbers of the process and of Node.js: memory, CPU, event loop, garbage collection. Once per process. */
  collectProcess(): void {
    // The default of 10 ms would wake an idle process a hundred times a second.
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 100 });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** All numbers in the text format of Prometheus. */
  async text(): Promise<string> {
    for (const read of this.readers) read();
    return this.registry.metrics();
  }

  /** Numbers of one controller, all at zero from the start so that graphs have no gaps. */
  controller(name: string, source: { workers: number; depth: () => number }): ControllerMetrics {
    const all = this.instruments;
    const running = new Set<{ since: number }>();
    all.maxWorkers.set({ controller: name }, source.workers);
    for (const result of ['success', 'requeue_after', 'error']) all.reconciles.inc({ controller: name, result }, 0);
    for (const zero of [all.queueAdds, all.queueRetries]) zero.inc({ name }, 0);
    all.reconcileErrors.inc({ controller: name }, 0);
    this.readers.push(() => {
      const ages = [...running].map(({ since }) => (this.now() - since) / 1000);
      all.queueDepth.set({ name }, source.depth());
      all.activeWorkers.set({ controller: name }, running.size);
      all.unfinishedSeconds.set(
        { name },
        ages.reduce((sum, age) => sum + age, 0),
      );
      all.longestSeconds.set({ name }, Math.max(0, ...ages));
    });
    return {
      events: {
        added: () => all.queueAdds.inc({ name }),
        retried: () => all.queueRetries.inc({ name }),
        started: waitedMs => all.queueSeconds.observe({ name }, waitedMs / 1000),
      },
      measured: run => async key => {
        const work = { since: this.now() };
        running.add(work);
        let result = 'error';
        try {
          const outcome = await run(key);
          result = outcome ? 'requeue_after' : 'success';
          return outcome;
        } finally {
          running.delete(work);
          this.reconciled(name, result, (this.now() - work.since) / 1000);
        }
      },
    };
  }

  /** A hook for each request to the API server (kube's CallHook); `host` is the server's. */
  apiCalls(host: string) {
    const { requests, requestSeconds } = this.instruments;
    return {
      after: (call: { verb: string }, outcome: { status: number; durationMs: number }): void => {
        const method = HTTP_METHOD[call.verb] ?? call.verb;
        requests.inc({ code: outcome.status === 0 ? '<error>' : String(outcome.status), method, host });
        requestSeconds.observe({ verb: method, host }, outcome.durationMs / 1000);
      },
    };
  }

  /** Numbers of one mirror of API objects; `name` is the plural of its kind. */
  watch(name: string, stats: () => WatchStats): void {
    const { lists, watches, watchFailures, cachedObjects } = this.instruments;
    let counted: WatchStats = { lists: 0, watches: 0, failures: 0, objects: 0 };
    this.readers.push(() => {
      const seen = { ...stats() };
      lists.inc({ name }, seen.lists - counted.lists);
      watches.inc({ name }, seen.watches - counted.watches);
      watchFailures.inc({ name }, seen.failures - counted.failures);
      cachedObjects.set({ name }, seen.objects);
      counted = seen;
    });
  }

  /** Whether this process leads; `name` is the lease's. */
  leader(name: string, isLeader: () => boolean): void {
    const { leader } = this.instruments;
    this.readers.push(() => leader.set({ name }, isLeader() ? 1 : 0));
  }

  /** To be called with each event of a workflow runner. */
  readonly flow = (event: FlowMetricsEvent): void => {
    const { steps, stepSeconds, operations } = this.instruments;
    const { flow: type, kind, step, seconds, record } = event;
    if (step === undefined) operations.inc({ type, phase: record.phase });
    else steps.inc({ type, step, event: kind });
    if (step !== undefined && seconds !== undefined) stepSeconds.observe({ type, step }, seconds);
  };

  private reconciled(controller: string, result: string, seconds: number): void {
    const { reconciles, reconcileErrors, reconcileSeconds, workSeconds } = this.instruments;
    reconciles.inc({ controller, result });
    if (result === 'error') reconcileErrors.inc({ controller });
    reconcileSeconds.observe({ controller }, seconds);
    workSeconds.observe({ name: controller }, seconds);
  }
}
