import pg from 'pg';
import { RESOURCES } from '../../operator/kube/resources.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS } from '../../operator/kinds/mpd.ts';
import { appSecret, rwService } from '../../operator/model/names.ts';
import { createCluster, NAMESPACE, removeClusters, secondsToReady, type Bench } from './bench-cluster.ts';
import type { Figure } from './figures.ts';

/** Time from apply to Ready of clusters that are made at once. */
export async function measureReady(
  bench: Bench,
  kind: { name: string; clusters: number; followers: number; atMost: number; runs: number },
): Promise<Figure> {
  const { name, clusters, followers, atMost, runs } = kind;
  const values: number[] = [];
  let note = '';
  for (let i = 0; i < runs; i++) {
    const names = Array.from({ length: clusters }, (_, n) => `bench${followers}-${i}-${n}`);
    const began = performance.now();
    await Promise.all(names.map(one => createCluster(bench, one, followers)));
    await secondsToReady(bench, names);
    values.push((performance.now() - began) / 1000);
    note = await partsOf(bench, names[0]!);
    await removeClusters(bench, names);
  }
  return { name: `apply to Ready: ${name}`, unit: 's', values, atMost, kind: 'time', note };
}

/** Seconds of each step of a cluster's creation, from its journal. */
async function partsOf({ client }: Bench, cluster: string): Promise<string> {
  const operations = await client.list(MPD_OPERATIONS, { namespace: NAMESPACE });
  const create = operations.find(({ spec }) => spec.target.name === cluster && spec.type === 'create');
  const steps = create?.status?.steps ?? [];
  const seconds = ({ startedAt, finishedAt }: { startedAt?: string; finishedAt?: string }): number =>
    (Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '')) / 1000;
  return steps.map(step => `${step.name} ${seconds(step).toFixed(1)}`).join(', ');
}

const MEGABYTES = 1000;
const ADDED_RUNS = 3;

/** Time to a ready RO more, on a cluster into which a gigabyte was just written. */
export async function measureAddedRo(bench: Bench): Promise<Figure> {
  const name = 'bench-grow';
  const values: number[] = [];
  await createCluster(bench, name, 0);
  await secondsToReady(bench, [name]);
  await load(bench, name, MEGABYTES);
  for (let followerNum = 1; followerNum <= ADDED_RUNS; followerNum++) {
    // Not checkpointed: what a base backup would have to wait for.
    await load(bench, name, MEGABYTES / 20);
    await bench.client.patchMerge(MPD_CLUSTERS, { namespace: NAMESPACE, name }, { spec: { followerNum } });
    values.push(await secondsToReady(bench, [name]));
  }
  await removeClusters(bench, [name]);
  return { name: 'RO added to 1 GB', unit: 's', values, atMost: 15, kind: 'time', note: 'just loaded' };
}

/** Rows of about a kilobyte that do not compress. */
async function load(bench: Bench, cluster: string, megabytes: number): Promise<void> {
  const sql = await connect(bench, cluster);
  try {
    await sql.query('CREATE TABLE IF NOT EXISTS load (row text)');
    await sql.query('ALTER TABLE load ALTER row SET STORAGE EXTERNAL');
    const row = "(SELECT string_agg(md5(i::text || j::text), '') FROM generate_series(1, 31) j)";
    await sql.query(`INSERT INTO load SELECT ${row} FROM generate_series(1, $1::int) i`, [megabytes * 1000]);
  } finally {
    await sql.end();
  }
}

async function connect({ client }: Bench, cluster: string): Promise<pg.Client> {
  const secret = await client.get(RESOURCES.secrets, { namespace: NAMESPACE, name: appSecret(cluster) });
  const service = await client.get(RESOURCES.services, { namespace: NAMESPACE, name: rwService(cluster) });
  const read = (key: string): string => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  const sql = new pg.Client({
    host: service?.spec?.clusterIP,
    port: Number(read('port')),
    user: read('username'),
    password: read('password'),
    database: read('dbname'),
    ssl: { rejectUnauthorized: false },
  });
  await sql.connect();
  return sql;
}
