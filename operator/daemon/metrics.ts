import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { JOB_NAMES, type JobName, type LoopState } from './loop.ts';

/** From a look at a few files to a clean-up of a full disk, s. */
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 3600];

/** Figures of the loops of a host. */
export class LoopMetrics {
  readonly #seconds: Histogram<'loop'>;
  readonly #failures: Counter<'loop'>;
  readonly #running = new Set<JobName>();

  /** @param states read at each scrape */
  constructor(registry: Registry, states: () => Readonly<Record<JobName, LoopState>>) {
    const registers = [registry];
    const labelNames = ['loop'] as const;
    this.#seconds = new Histogram({
      name: 'polardb_stack_loop_seconds',
      help: 'Duration of one run of a loop.',
      labelNames,
      buckets: BUCKETS,
      registers,
    });
    this.#failures = new Counter({
      name: 'polardb_stack_loop_failures_total',
      help: 'Runs of a loop that failed.',
      labelNames,
      registers,
    });
    for (const loop of JOB_NAMES) {
      this.#seconds.zero({ loop });
      this.#failures.inc({ loop }, 0);
    }
    loopGauge(registry, {
      name: 'polardb_stack_loop_last_success_timestamp_seconds',
      help: 'When a loop did its work last.',
      read: () => mapped(states(), ({ lastSuccess }) => lastSuccess && lastSuccess.getTime() / 1000),
    });
    loopGauge(registry, {
      name: 'polardb_stack_loop_stuck',
      help: '1 while a run that was called off has not ended, else 0.',
      read: () => mapped(states(), ({ isStuck }) => Number(isStuck)),
    });
  }

  /** To be called with each change of a loop's state. */
  changed(loop: JobName, { isRunning, lastDurationMs = 0, failures }: LoopState): void {
    const hasEnded = this.#running.has(loop) && !isRunning;
    if (isRunning) this.#running.add(loop);
    else this.#running.delete(loop);
    if (!hasEnded) return;
    this.#seconds.observe({ loop }, lastDurationMs / 1000);
    if (failures > 0) this.#failures.inc({ loop });
  }
}

function mapped(
  states: Readonly<Record<JobName, LoopState>>,
  value: (state: LoopState) => number | undefined,
): [JobName, number][] {
  return JOB_NAMES.flatMap(name => {
    const found = value(states[name]);
    return found === undefined ? [] : [[name, found] as [JobName, number]];
  });
}

function loopGauge(
  registry: Registry,
  { name, help, read }: { name: string; help: string; read: () => [JobName, number][] },
): void {
  new Gauge({
    name,
    help,
    labelNames: ['loop'],
    registers: [registry],
    collect() {
      for (const [loop, value] of read()) this.set({ loop }, value);
    },
  });
}
