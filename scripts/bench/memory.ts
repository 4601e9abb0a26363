import { setTimeout as sleep } from 'node:timers/promises';
import { RESOURCES, type Pod } from '../../operator/kube/resources.ts';
import type { Bench } from './bench-cluster.ts';
import { summarize, type Figure } from './figures.ts';

const SYSTEM = 'polardb-system';
const OPERATOR = 'app.kubernetes.io/component=operator';
/** Foreign objects of each kind. */
const FOREIGN = 10_000;
const STARTS = 3;
/** Lists are read and first garbage is collected. */
const WARM_MS = 30_000;
const AT_ONCE = 40;

/** Memory of the operator, freshly started, without and with many objects that are none of its business. */
export async function measureMemory(bench: Bench): Promise<Figure[]> {
  const before = await startedMemory(bench);
  await makeForeign(bench);
  const after = await startedMemory(bench);
  const grown = summarize(after).median - summarize(before).median;
  return [
    { name: 'operator RSS, few objects', unit: 'MiB', values: before, kind: 'time' },
    { name: 'operator RSS, 30,000 foreign', unit: 'MiB', values: after, kind: 'time' },
    { name: 'operator RSS grown', unit: 'MiB', values: [grown], atMost: 10, kind: 'count', note: 'of the medians' },
  ];
}

/** Resident memory of the agents of all clusters there are, MiB. */
export async function agentMemory({ local }: Bench): Promise<Figure> {
  const script =
    "for p in $(pgrep -f program/agent.mjs); do awk '/^VmRSS/ { print $2 }' /proc/$p/status; done | sort -n";
  const outputs = await Promise.all(local.nodes.map(({ name }) => local.exec(name, ['sh', '-c', script])));
  // Of tini and the shell that looks, which have the name in their arguments too, none has 20 MiB.
  const values = outputs.flatMap(text => text.split('\n').map(Number)).filter(kib => kib > 20_480);
  return { name: 'agent RSS', unit: 'MiB', values: values.map(kib => kib / 1024), atMost: 80, kind: 'count' };
}

/** Of all replicas, after each of several starts, MiB. */
async function startedMemory(bench: Bench): Promise<number[]> {
  const values: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const old = await operatorPods(bench);
    for (const { metadata } of old)
      await bench.client.delete(RESOURCES.pods, { namespace: SYSTEM, name: metadata.name });
    const pods = await newPods(bench, new Set(old.map(({ metadata }) => metadata.uid)));
    await sleep(WARM_MS);
    values.push(...(await Promise.all(pods.map(residentMiB))));
  }
  return values;
}

const operatorPods = ({ client }: Bench): Promise<Pod[]> =>
  client.list(RESOURCES.pods, { namespace: SYSTEM, labelSelector: OPERATOR });

async function newPods(bench: Bench, old: ReadonlySet<string | undefined>): Promise<Pod[]> {
  const end = performance.now() + 120_000;
  while (performance.now() < end) {
    const pods = await operatorPods(bench);
    const isReady = (pod: Pod): boolean =>
      pod.status?.conditions?.some(it => it.type === 'Ready' && it.status === 'True') ?? false;
    if (pods.length === old.size && pods.every(pod => !old.has(pod.metadata.uid) && isReady(pod))) return pods;
    await sleep(500);
  }
  throw new Error('the operator did not come back within 120 s');
}

async function residentMiB({ status }: Pod): Promise<number> {
  const answer = await fetch(`http://${status?.podIP ?? ''}:8080/metrics`, { signal: AbortSignal.timeout(5_000) });
  const bytes = /^process_resident_memory_bytes (\S+)$/m.exec(await answer.text())?.[1];
  return Number(bytes) / 2 ** 20;
}

async function makeForeign({ client }: Bench): Promise<void> {
  const value = 'x'.repeat(1000);
  const metadata = (i: number) => ({ namespace: 'foreign', name: `foreign-${i}`, labels: { app: 'foreign' } });
  await client.create(RESOURCES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'foreign' } });
  await inParallel(FOREIGN, async i => {
    await client.create(RESOURCES.configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata(i),
      data: { value },
    });
    await client.create(RESOURCES.secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata(i),
      data: { value: Buffer.from(value).toString('base64') },
    });
    await client.create(RESOURCES.pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: metadata(i),
      // Nobody schedules them: what is measured is who looks at them.
      spec: { schedulerName: 'nobody', containers: [{ name: 'foreign', image: 'foreign' }] },
    });
  });
}

async function inParallel(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
