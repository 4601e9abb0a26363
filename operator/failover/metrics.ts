import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { SWITCH_PARTS, type SwitchEntry } from './history.ts';

/** From a local crash to a host that is lost, s. */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 60, 300];

/** Figures of switches; where the time went. Labels never name clusters. */
export class FailoverMetrics {
  readonly #parts: Histogram<'part'>;
  readonly #gap: Histogram<'cause'>;
  readonly #switches: Counter<'cause'>;

  /** @param groups how many groups this process looks after, and how many of them have no RW now; read at each scrape */
  constructor(registry: Registry, groups: () => { all: number; withoutWriter: number; streams: number }) {
    const registers = [registry];
    this.#parts = new Histogram({
      name: 'polardb_stack_switch_part_seconds',
      help: 'Parts of a change of the RW: detect, revoke, fence, grant, promote, publish.',
      labelNames: ['part'],
      buckets: BUCKETS,
      registers,
    });
    this.#gap = new Histogram({
      name: 'polardb_stack_switch_gap_seconds',
      help: 'From the last sign of a working RW to the publication of its successor, by cause.',
      labelNames: ['cause'],
      buckets: BUCKETS,
      registers,
    });
    this.#switches = new Counter({
      name: 'polardb_stack_switches_total',
      help: 'Changes of the RW that came to their end, by cause.',
      labelNames: ['cause'],
      registers,
    });
    for (const part of SWITCH_PARTS) this.#parts.zero({ part });
    gauge(registry, 'polardb_stack_groups', 'Groups that this process looks after.', () => groups().all);
    gauge(registry, 'polardb_stack_groups_without_writer', 'Groups that should have an RW and have none now.', () => {
      return groups().withoutWriter;
    });
    gauge(registry, 'polardb_stack_agent_streams', 'Agents that are connected now.', () => groups().streams);
  }

  /** A change of the RW is over. */
  switched({ cause, partsMs, gapMs }: SwitchEntry): void {
    this.#switches.inc({ cause });
    if (gapMs !== undefined) this.#gap.observe({ cause }, gapMs / 1000);
    for (const part of SWITCH_PARTS) {
      const ms = partsMs[part];
      if (ms !== undefined) this.#parts.observe({ part }, ms / 1000);
    }
  }
}

function gauge(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value());
    },
  });
}
