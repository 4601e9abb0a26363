import type { HeardReport } from './evidence.ts';
import { isFirstCreation, rebuild, type GroupRecord } from './record.ts';
import { act, wait, type Said } from './said.ts';
import { isFresh, isServing } from './sight.ts';
import type { GroupView } from './view.ts';

/** Highest epoch that this member knows of this cluster, by commands and by its volume. */
export function latestEpoch({ highestEpoch, volume }: HeardReport, clusterUid: string): number {
  return Math.max(highestEpoch ?? 0, volume.clusterUid === clusterUid ? (volume.epoch ?? 0) : 0);
}

/**
 * Does this member know something newer than the record? A later epoch; or, in this epoch, a reign that the record does
 * not tell of, or a later (E, k). Then the record was lost and came back from an older copy (etcd restored).
 */
export function knowsMore(report: HeardReport, record: GroupRecord): boolean {
  const { highest, volume } = report;
  const { clusterUid, epoch, generation, holder } = record;
  const isReign = volume.clusterUid === clusterUid && volume.epoch === epoch && !holder && !isFirstCreation(record);
  const isLater = highest?.clusterUid === clusterUid && highest.epoch === epoch && highest.generation > generation;
  return latestEpoch(report, clusterUid) > epoch || isReign || isLater;
}

/** Highest term that members know of in this epoch. */
export const knownTerm = (reports: readonly HeardReport[], { clusterUid, epoch }: GroupRecord): number =>
  Math.max(0, ...reports.map(({ highest: it }) => (it?.clusterUid === clusterUid && it.epoch === epoch ? it.term : 0)));

/**
 * The record is gone, or older than what members have seen (etcd restored). A new one, of an epoch that nobody has seen,
 * is made only when every instance answers and exactly one of them is RW, of the latest epoch that any of them knows:
 * nobody else can be. Everything else asks a person.
 */
export function recordAnew(view: GroupView, reason: 'RecordLost' | 'RecordBehind', old?: GroupRecord): Said {
  const { clusterUid, evidence, at } = view;
  const epoch = Math.max(old?.epoch ?? 0, ...evidence.reports.map(it => latestEpoch(it, clusterUid)));
  const what =
    reason === 'RecordLost' ? 'the record is gone' : `the record is older than what members know (epoch ${epoch})`;
  const found = onlyRw(view, epoch);
  if (typeof found === 'string') return wait(reason, `${what}; it is not made anew: ${found}`);
  const generation = Math.max(old?.generation ?? 0, ...evidence.reports.map(it => it.quorum?.generation ?? 0)) + 1;
  const former = {
    incarnation: found.incarnation,
    grant: found.container,
    revokedAt: at,
    cause: 'RecordRebuilt' as const,
  };
  const record = rebuild(old, { clusterUid, epoch: epoch + 1, generation, former });
  return act({
    do: 'rebuild',
    record,
    message: `${what}; every instance answers, and ${found.incarnation.instanceId} is RW`,
  });
}

/** The one RW, or why nobody can say who it is. */
function onlyRw(view: GroupView, epoch: number): (HeardReport & { container: object }) | string {
  const fresh = view.evidence.reports.filter(it => isFresh(view, it));
  const missing = view.instances.filter(({ id }) => !fresh.some(it => it.incarnation.instanceId === id));
  if (missing.length > 0) return `instance ${missing.map(it => it.id).join(', ')} does not answer`;
  if (fresh.length > view.instances.length) return 'an instance answers from two incarnations';
  const [rw, ...others] = fresh.filter(it => it.engine.role === 'rw' && it.engine.state !== 'stopped');
  if (!rw || others.length > 0) return `${others.length + (rw ? 1 : 0)} instances run as RW`;
  if (!isServing(rw) || latestEpoch(rw, view.clusterUid) < epoch)
    return `instance ${rw.incarnation.instanceId} is not surely the last RW`;
  return rw.container ? { ...rw, container: rw.container } : 'the container of the RW is not known yet';
}
