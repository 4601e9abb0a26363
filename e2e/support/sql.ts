import pg from 'pg';

export interface Login {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  /** False: without TLS. */
  tls: { ca: string; serverName: string } | false;
}

/** One statement with its values; returns the rows. */
export type Sql = <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>;

/** How long an attempt to connect and a statement may take, ms. */
const LIMIT_MS = 10_000;

/** Connects, works, and ends the connection, whatever comes of it. */
export async function connect<T>(login: Login, work: (sql: Sql) => Promise<T>): Promise<T> {
  const { tls, ...rest } = login;
  const client = new pg.Client({
    ...rest,
    ssl: tls && { ca: tls.ca, servername: tls.serverName },
    connectionTimeoutMillis: LIMIT_MS,
    query_timeout: LIMIT_MS,
  });
  // A connection that is cut while nothing is asked is no news for a test: the next statement tells.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(async (text, values) => (await client.query(text, values)).rows as never);
  } finally {
    await client.end().catch(() => undefined);
  }
}
