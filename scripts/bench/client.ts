import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Load } from '../load/load.ts';
import { compare, failures, gaps } from '../load/report.ts';

/** One of its own: what a run left that was killed is not in the way. */
const TABLE = `bench_client_${Date.now()}`;

/**
 * Writes into any PostgreSQL until the time is over or a person interrupts; tells each pause at once and the sum at
 * the end. @returns exit code
 */
export async function watchEndpoint(uri: string, seconds: number): Promise<number> {
  const { hostname: host, port, username, password, pathname, searchParams } = new URL(uri);
  const isPlain = searchParams.get('sslmode') === 'disable';
  const [user, word] = [username, password].map(decodeURIComponent) as [string, string];
  const login = { host, port: Number(port || 5432), user, password: word, database: pathname.slice(1) };
  const load = new Load({ ...login, tls: isPlain ? false : { unchecked: true }, table: TABLE });
  const over = new AbortController();
  const limit = Number.isFinite(seconds) ? sleep(seconds * 1000) : once(process, 'SIGINT');
  void limit.then(() => {
    over.abort();
  });
  let told = 0;
  while (!over.signal.aborted) {
    await sleep(100);
    const pauses = gaps(load.events);
    for (const { from, ms } of pauses.slice(told)) {
      process.stdout.write(`${new Date(from).toISOString()} ${Math.round(ms)} ms without an acknowledgement\n`);
    }
    told = pauses.length;
  }
  const events = await load.stop();
  const { acknowledged, lost, unexpected } = compare(
    events,
    await rowsOf({ ...login, ssl: isPlain ? false : { rejectUnauthorized: false } }),
  );
  const failed = failures(events).filter(({ what }) => what === 'statement').length;
  process.stdout.write(
    `${acknowledged} rows acknowledged, ${lost.length} lost; ${unexpected} there without; ${failed} statements failed\n`,
  );
  return lost.length > 0 ? 1 : 0;
}

/** Takes the table away after it has been read. */
async function rowsOf(login: pg.ClientConfig): Promise<number[]> {
  const client = new pg.Client(login);
  await client.connect();
  try {
    const { rows } = await client.query<{ n: string }>(`SELECT n FROM ${TABLE}`);
    await client.query(`DROP TABLE ${TABLE}`);
    return rows.map(({ n }) => Number(n));
  } finally {
    await client.end();
  }
}
