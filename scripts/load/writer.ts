import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Failed, LoadEvent } from './report.ts';

/** Where to write: any PostgreSQL. */
export interface LoadTarget {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  /** False: without TLS. */
  tls: { ca: string; serverName: string } | { unchecked: true } | false;
  /** Made when it is missing; each writer has its own. */
  table: string;
}

/** Between the starts of two statements, ms. */
const EVERY_MS = 10;
/** For connecting and for each statement, ms: what a careful application would set. */
const LIMIT_MS = 500;

type Tell = (event: LoadEvent) => void;

/**
 * Writes rows 1, 2, 3 ... into a table, one every 10 ms, each a transaction of its own, and tells what became of each.
 * A row without an answer is not tried again, the next one is: so each number is acknowledged once or not at all.
 */
export class Writer {
  readonly #target: LoadTarget;
  readonly #tell: Tell;
  #client: pg.Client | undefined;
  #hasTable = false;
  #n = 0;

  constructor(target: LoadTarget, tell: Tell) {
    this.#target = target;
    this.#tell = tell;
  }

  /** Resolves after the statement that runs when the signal comes. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = performance.now();
      await this.#turn();
      await sleep(Math.max(0, began + EVERY_MS - performance.now()));
    }
    this.#abandon();
  }

  async #turn(): Promise<void> {
    if (!this.#client) await this.#connect();
    else if (!this.#hasTable) await this.#makeTable(this.#client);
    else await this.#write(this.#client);
  }

  async #connect(): Promise<void> {
    const sentAt = now();
    const { host, port, user, password, database, tls } = this.#target;
    const ssl = tls && ('ca' in tls ? { ca: tls.ca, servername: tls.serverName } : { rejectUnauthorized: false });
    const client = new pg.Client({ host, port, user, password, database, ssl, connectionTimeoutMillis: LIMIT_MS });
    // The statement that runs tells of it, or the next one.
    client.on('error', () => undefined);
    try {
      await withinLimit(client.connect());
      this.#client = client;
      this.#tell({ kind: 'connected', sentAt, at: now() });
    } catch (error) {
      client.end().catch(() => undefined);
      this.#failed(error, { what: 'connect', sentAt });
    }
  }

  async #makeTable(client: pg.Client): Promise<void> {
    const sentAt = now();
    const columns = 'n bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp()';
    try {
      await withinLimit(client.query(`CREATE TABLE IF NOT EXISTS ${this.#target.table} (${columns})`));
      this.#hasTable = true;
    } catch (error) {
      this.#failed(error, { what: 'statement', sentAt });
    }
  }

  async #write(client: pg.Client): Promise<void> {
    const n = ++this.#n;
    const sentAt = now();
    const warnings: string[] = [];
    const warn = ({ message = '' }): unknown => warnings.push(message);
    client.on('notice', warn);
    try {
      const text = `INSERT INTO ${this.#target.table} (n) VALUES ($1) RETURNING host(inet_server_addr()) AS server`;
      const { rows } = await withinLimit(client.query<{ server: string }>(text, [n]));
      // A commit whose wait for other instances was cancelled is answered too, with a warning.
      if (warnings.length > 0) throw new Error(warnings.join('; '));
      this.#tell({ kind: 'acknowledged', n, sentAt, at: now(), server: rows[0]!.server });
    } catch (error) {
      this.#failed(error, { what: 'statement', n, sentAt });
    } finally {
      client.off('notice', warn);
    }
  }

  #failed(error: unknown, about: Pick<Failed, 'what' | 'n' | 'sentAt'>): void {
    const { code = '', message } = error as Error & { code?: string };
    const what = about.what === 'statement' && isCut(code, message) ? 'cut' : about.what;
    this.#tell({ kind: 'failed', ...about, what, at: now(), code, message });
    this.#abandon();
  }

  /** Not waited for: the other side may be gone. */
  #abandon(): void {
    this.#client?.end().catch(() => undefined);
    this.#client = undefined;
  }
}

/**
 * The server said goodbye (57P01 admin_shutdown, 57P02 crash_shutdown, 57P03 cannot_connect_now), or the wire did; between
 * two statements too, of which the library tells with the next one.
 */
const isCut = (code: string, message: string): boolean =>
  ['57P01', '57P02', '57P03', 'ECONNRESET', 'EPIPE'].includes(code) ||
  ['Connection terminated', 'Client has encountered a connection error'].some(words => message.startsWith(words));

const now = (): number => performance.timeOrigin + performance.now();

async function withinLimit<T>(work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const limit = sleep(LIMIT_MS, undefined, { signal: timer.signal }).then(() => {
    throw Object.assign(new Error(`no answer within ${LIMIT_MS} ms`), { code: 'ETIMEDOUT' });
  });
  // The one that loses the race is not asked any more.
  limit.catch(() => undefined);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, limit]);
  } finally {
    timer.abort();
  }
}
