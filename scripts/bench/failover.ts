import type { MPDClusterSpecInput } from '../../crds/mpdcluster.ts';
import { sharedVolume } from '../../e2e/support/shared-volume.ts';
import { SWITCH_PARTS } from '../../operator/failover/history.ts';
import { NAMESPACE, removeClusters, smallSpec, type Bench } from './bench-cluster.ts';
import { LOCAL_CASES, SHARE_CASES } from './failover-cases.ts';
import { failoverPlace } from './failover-place.ts';
import { runOnce, type FailoverCase, type FailoverRun } from './failover-run.ts';
import type { Figure } from './figures.ts';

const FOLLOWERS = 2;

/**
 * Pauses that a client sees when the RW changes, and what they are made of.
 * @param only how many runs of each case at most, and of which ones
 */
export async function measureFailover(bench: Bench, only: { runs: number; named: RegExp }): Promise<Figure[]> {
  const wanted = (cases: readonly FailoverCase[]): FailoverCase[] =>
    cases.filter(({ name }) => only.named.test(name)).map(one => ({ ...one, runs: Math.min(one.runs, only.runs) }));
  const figures = await measureCases(bench, {
    name: 'bench-local',
    spec: smallSpec(FOLLOWERS),
    cases: wanted(LOCAL_CASES),
  });
  if (wanted(SHARE_CASES).length === 0) return figures;
  const volume = await sharedVolume({ ...bench, namespace: NAMESPACE }, 'bench-share');
  const spec: MPDClusterSpecInput = {
    ...smallSpec(FOLLOWERS),
    dbClusterType: 'share',
    storage: undefined,
    shareStore: { sharePvcName: volume.claim },
    ha: { unfencedFailover: 'afterExpiry' },
  };
  figures.push(...(await measureCases(bench, { name: 'bench-share', spec, cases: wanted(SHARE_CASES) })));
  await volume.remove();
  return figures;
}

async function measureCases(
  bench: Bench,
  { name, spec, cases }: { name: string; spec: MPDClusterSpecInput; cases: readonly FailoverCase[] },
): Promise<Figure[]> {
  if (cases.length === 0) return [];
  const at = await failoverPlace(bench, name, spec);
  const figures: Figure[] = [];
  for (const one of cases) {
    const runs: FailoverRun[] = [];
    for (let i = 0; i < one.runs; i++) {
      const run = await runOnce(at, one);
      runs.push(run);
      process.stderr.write(`${one.name} ${i + 1}/${one.runs}: ${Math.round(run.gapMs)} ms ${partsOf(run)}\n`);
    }
    figures.push(...figuresOf(one, runs));
  }
  await removeClusters(bench, [name]);
  return figures;
}

const partsOf = ({ entry }: FailoverRun): string =>
  entry ? [...Object.entries(entry.partsMs)].map(([part, ms]) => `${part} ${ms}`).join(' ') : 'restarted in its place';

/** The client's gap, its parts as the cluster manager wrote them, and the rest: what no part of ours has seen. */
export function figuresOf(one: FailoverCase, runs: readonly FailoverRun[]): Figure[] {
  const seconds = (ms: readonly number[]): number[] => ms.map(it => it / 1000);
  const time = { unit: 's', kind: 'time' } as const;
  const count = { unit: '1', kind: 'count', worstAtMost: 0 } as const;
  const gap: Figure = {
    name: `${one.name}: gap`,
    ...time,
    values: seconds(runs.map(({ gapMs }) => gapMs)),
    ...(one.median !== undefined && { atMost: one.median }),
    ...(one.worst !== undefined && { worstAtMost: one.worst }),
  };
  const parts = SWITCH_PARTS.map((part): Figure => {
    const values = runs.flatMap(({ entry }) => entry?.partsMs[part] ?? []);
    return { name: `  ${part}`, ...time, values: seconds(values) };
  });
  const rest = runs.flatMap(({ gapMs, entry }) => (entry?.gapMs === undefined ? [] : gapMs - entry.gapMs));
  return [
    gap,
    ...parts,
    { name: '  before, and to the first write', ...time, values: seconds(rest) },
    { name: '  rows lost', ...count, values: runs.map(({ lost }) => lost) },
    ...(one.isPlanned
      ? [{ name: '  statements failed', ...count, values: runs.map(({ failedStatements }) => failedStatements) }]
      : []),
  ].filter(({ values }) => values.length > 0);
}
