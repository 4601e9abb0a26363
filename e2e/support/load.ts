import type { Pod } from '../../operator/kube/resources.ts';
import { Load } from '../../scripts/load/load.ts';
import { compare, failures, type Acknowledged, type LoadEvent, type Verdict } from '../../scripts/load/report.ts';
import type { Database } from './database.ts';
import { enterNetwork } from './faults.ts';
import type { Place } from './place.ts';

/** What a writer did, and what the table holds of it. */
export interface LoadOutcome {
  events: readonly LoadEvent[];
  verdict: Verdict;
  /** By row: when the server wrote it, by its own clock, which all nodes share here. */
  writtenAt: Map<number, number>;
}

/** A writer against `<c>-rw` (see scripts/load), with a table of its own. */
export class DatabaseLoad {
  readonly #scene: Place;
  readonly #database: Database;
  readonly #table: string;
  readonly #load: Load;

  private constructor(about: { scene: Place; database: Database; table: string; load: Load }) {
    this.#scene = about.scene;
    this.#database = about.database;
    this.#table = about.table;
    this.#load = about.load;
  }

  /**
   * Starts to write; returns when the first row is acknowledged.
   * @param beside writes straight to this pod, from its own node: as a client that is cut off together with it
   */
  static async start(scene: Place, database: Database, beside?: Pod): Promise<DatabaseLoad> {
    const table = `load_${++tables}`;
    const target = { ...(await database.login('rw')), table, ...(beside && { host: beside.status?.podIP }) };
    const prefix = beside && ['nsenter', ...(await enterNetwork(scene.local.name, beside.spec?.nodeName ?? ''))];
    const load = new DatabaseLoad({ scene, database, table, load: new Load(target, prefix) });
    try {
      await load.writes();
    } catch (error) {
      await load.stop();
      throw error;
    }
    return load;
  }

  get events(): readonly LoadEvent[] {
    return this.#load.events;
  }

  /** Waits until a row is acknowledged that was sent from now on. */
  async writes(deadlineMs = 30_000): Promise<Acknowledged> {
    const now = Date.now();
    const look = (): Acknowledged | undefined => {
      const found = this.#load.acknowledgedAfter(now);
      const failed = failures(this.events).at(-1);
      if (found || !failed) return found;
      throw new Error(`last failure, ${Math.round(Date.now() - failed.at)} ms ago: ${failed.what}: ${failed.message}`);
    };
    return await this.#scene.eventually('a row is acknowledged', look, { deadlineMs, everyMs: 20 });
  }

  /** Ends the writer and compares its rows with the table. */
  async end(): Promise<LoadOutcome> {
    const events = await this.#load.stop();
    const rows = await this.#database.sql('rw', sql =>
      sql<{ n: string; at: Date }>(`SELECT n, at FROM ${this.#table} ORDER BY n`),
    );
    const writtenAt = new Map(rows.map(({ n, at }) => [Number(n), at.getTime()]));
    return { events, verdict: compare(events, writtenAt.keys()), writtenAt };
  }

  /** Rows in the table, as an instance behind a Service has them. */
  async count(service: 'rw' | 'ro'): Promise<number> {
    const [row] = await this.#database.sql(service, sql =>
      sql<{ count: string }>(`SELECT count(*) FROM ${this.#table}`),
    );
    return Number(row?.count);
  }

  /** Ends the writer without a look: its rows are not needed. */
  async stop(): Promise<readonly LoadEvent[]> {
    return await this.#load.stop();
  }
}

/** Table names that no other load of this process has. */
let tables = 0;
