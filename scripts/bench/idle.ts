import { setTimeout as sleep } from 'node:timers/promises';
import { auditMark, auditSince } from '../../e2e/support/audit.ts';
import { MPD_CLUSTERS } from '../../operator/kinds/mpd.ts';
import { NAMESPACE, type Bench } from './bench-cluster.ts';
import { callsOf, type Calls } from './calls.ts';
import type { Figure } from './figures.ts';

/** After the last change: Events and journals are written, certificates looked at. */
const SETTLE_MS = 10_000;
const MINUTES = 3;
/** Touches of a cluster that mean nothing to it. */
const TOUCHES = 5;
const TOUCH_MS = 3_000;

const isOurs = (account: string): boolean =>
  account.startsWith('polardb-system:') || account.startsWith(`${NAMESPACE}:`);

/** What an idle cluster costs the API server, and what a reconcile that finds nothing to do. */
export async function measureIdle(bench: Bench, cluster: string): Promise<Figure[]> {
  await sleep(SETTLE_MS);
  const minutes = [];
  for (let i = 0; i < MINUTES; i++) minutes.push(await callsIn(bench, 60_000));
  const touches = [];
  for (let i = 0; i < TOUCHES; i++) {
    const annotations = { 'bench.example/touch': String(i) };
    await bench.client.patchMerge(MPD_CLUSTERS, { namespace: NAMESPACE, name: cluster }, { metadata: { annotations } });
    touches.push(await callsIn(bench, TOUCH_MS));
  }
  const idle = { unit: 'calls/min', kind: 'count', atMost: 0 } as const;
  return [
    { name: 'idle: writes', ...idle, values: minutes.map(it => it.writes.length), note: listed(minutes, 'writes') },
    { name: 'idle: reads', ...idle, values: minutes.map(it => it.reads.length), note: listed(minutes, 'reads') },
    { name: 'idle: Lease calls', unit: 'calls/min', kind: 'count', values: minutes.map(it => it.renewals) },
    {
      name: 'no-op reconcile',
      unit: 'calls',
      kind: 'count',
      atMost: 0,
      values: touches.map(it => it.reads.length + it.writes.length),
      note: [listed(touches, 'reads'), listed(touches, 'writes')].filter(Boolean).join(', '),
    },
  ];
}

async function callsIn({ local }: Bench, ms: number): Promise<Calls> {
  const mark = await auditMark(local.auditLog);
  await sleep(ms);
  return callsOf(await auditSince(local.auditLog, mark), isOurs);
}

/** Which calls they were, each once. */
const listed = (of: readonly Calls[], what: 'reads' | 'writes'): string =>
  [...new Set(of.flatMap(it => it[what]))].join(', ');
