import type { Decision } from './action.ts';
import type { HeardReport } from './evidence.ts';
import { formatIncarnation, isSameIncarnation } from './incarnation.ts';
import { ATTESTATION_ANNOTATION, whyEnded } from './ladder.ts';
import type { RecordError } from './lease.ts';
import { isOlder, rebuild, type GrantNote, type GroupRecord } from './record.ts';
import { act, wait, type Said } from './said.ts';
import { isFresh, isServing } from './sight.ts';
import type { GroupView } from './view.ts';

/** Highest epoch that this member knows of this cluster, by commands and by its volume. */
export function latestEpoch({ highest, highestEpoch = 0, volume }: HeardReport, clusterUid: string): number {
  const commanded = highest === undefined || highest.clusterUid === clusterUid ? highestEpoch : 0;
  return Math.max(commanded, volume.clusterUid === clusterUid ? (volume.epoch ?? 0) : 0);
}

/**
 * Does this member know something newer than the record? A later epoch; or, in this epoch, a reign that the record does
 * not tell of, or a later (E, k). Then the record was lost and came back from an older copy (etcd restored).
 */
function knowsMore(report: HeardReport, record: GroupRecord): boolean {
  const { highest, volume } = report;
  const { clusterUid, epoch, generation, holder } = record;
  const isReign = volume.clusterUid === clusterUid && volume.epoch === epoch && !holder;
  const isLater = highest?.clusterUid === clusterUid && highest.epoch === epoch && highest.generation > generation;
  return latestEpoch(report, clusterUid) > epoch || isReign || isLater;
}

/** Does anybody know something newer than the record: this process itself, or a member? */
export function isBehind({ memory: { newest }, evidence }: GroupView, record: GroupRecord): boolean {
  const isBehindUs = newest?.clusterUid === record.clusterUid && isOlder(record, { ...newest, term: record.term });
  return isBehindUs || evidence.reports.some(it => knowsMore(it, record));
}

/** Highest term that this process, or a member, knows of in this epoch. */
export function knownTerm({ memory: { newest }, evidence }: GroupView, { clusterUid, epoch }: GroupRecord): number {
  const stamps = [newest, ...evidence.reports.map(it => it.highest)];
  const own = stamps.filter(it => it?.clusterUid === clusterUid && it.epoch === epoch);
  return Math.max(0, ...own.map(it => it?.term ?? 0));
}

/**
 * The record is gone, or older than what members have seen (etcd restored). A new one, of an epoch that nobody has seen,
 * is made only when every instance answers and exactly one of them is RW, of the latest epoch that any of them knows:
 * nobody else can be. Or none is RW, and one has the volume of the last who was, and is that one or comes after its
 * proven end: it holds every acknowledged row.
 * Everything else asks a person.
 */
export function recordAnew(view: GroupView, reason: 'RecordLost' | 'RecordBehind', old?: GroupRecord): Said {
  const newest = newestKnown(view, old);
  const epoch = Math.max(newest?.epoch ?? 0, ...view.evidence.reports.map(it => latestEpoch(it, view.clusterUid)));
  const what =
    reason === 'RecordLost' ? 'the record is gone' : `the record is older than what is known (epoch ${epoch})`;
  const found = lastRw(view, epoch);
  if (typeof found === 'string') return wait(reason, `${what}; it is not made anew: ${found}`);
  const { instanceId } = found.incarnation;
  const proof = found.ended === undefined ? '' : ` (${found.ended})`;
  const message = `${what}; every instance answers, and ${instanceId} is RW, or was the last one${proof}`;
  return act({ do: 'rebuild', record: rebuilt(view, { newest, epoch, rw: found }), message });
}

/** Nothing is decided from a Lease that holds no whole record, and nobody is asked for what it may say: a person looks. */
export const recordUnreadable = ({ message }: RecordError): Decision => ({
  policy: 'RecordUnreadable',
  actions: [],
  ...wait('RecordUnreadable', message),
});

const newestKnown = ({ memory: { newest }, clusterUid }: GroupView, old?: GroupRecord): GroupRecord | undefined =>
  newest?.clusterUid === clusterUid ? newest : old;

/** `ended`: proof that the former start of this instance, which was the RW, has ended. */
type Found = HeardReport & { ended?: string };
type LastRw = Found & { container: GrantNote };

function rebuilt(
  { clusterUid, evidence, at }: GroupView,
  { newest, epoch, rw }: { newest: GroupRecord | undefined; epoch: number; rw: LastRw },
): GroupRecord {
  const taken = evidence.reports.map(it => it.quorum?.generation ?? 0);
  const generation = Math.max(newest?.generation ?? 0, ...taken) + 1;
  const { incarnation, container: grant } = rw;
  const former = { incarnation, grant, revokedAt: at, cause: 'RecordRebuilt' as const };
  return rebuild(newest, { clusterUid, epoch: epoch + 1, generation, former });
}

/** The one RW, or where none runs the last one; else why nobody can say who it is. */
function lastRw(view: GroupView, epoch: number): LastRw | string {
  const fresh = view.evidence.reports.filter(it => isFresh(view, it));
  const missing = view.instances.filter(({ id }) => !fresh.some(it => it.incarnation.instanceId === id));
  if (missing.length > 0) return `instance ${missing.map(it => it.id).join(', ')} does not answer`;
  if (fresh.length > view.instances.length) return 'an instance answers from two incarnations';
  const [running, ...others] = fresh.filter(it => it.engine.role === 'rw' && it.engine.state !== 'stopped');
  if (others.length > 0) return `${others.length + 1} instances run as RW`;
  if (running && (!isServing(running) || latestEpoch(running, view.clusterUid) < epoch))
    return `instance ${running.incarnation.instanceId} is not surely the last RW`;
  const last: Found | string = running ?? stoppedRw(view, fresh);
  if (typeof last === 'string') return last;
  return last.container ? { ...last, container: last.container } : 'the container of the RW is not known yet';
}

/**
 * The epoch of a reign is written to the volume before the engine takes writes, so with the volumes of all instances at
 * hand the last reign is known, granted or not what came after it. On a shared volume all say the same.
 */
function stoppedRw(view: GroupView, all: readonly HeardReport[]): Found | string {
  const { clusterUid, topology } = view;
  if (topology === 'share') return 'no instance runs as RW';
  const foreign = all.filter(it => it.volume.clusterUid !== clusterUid);
  if (foreign.length > 0)
    return `no instance runs as RW, and the volume of instance ${foreign[0]!.incarnation.instanceId} tells of no reign`;
  const reigned = (it: HeardReport): number => it.volume.epoch ?? 0;
  const latest = Math.max(...all.map(reigned));
  const tied = all.filter(it => reigned(it) === latest);
  // What is filled in a reign is claimed for its epoch too; only the RW's volume names it.
  const named = tied.filter(it => it.volume.holder !== undefined);
  const [last, ...others] = named.length > 0 ? named : tied;
  if (!last || others.length > 0) return 'no instance runs as RW, and several may have been the last';
  if (last.engine.state !== 'stopped' || last.volume.state !== 'initialized')
    return `instance ${last.incarnation.instanceId} was the last RW; its engine is ${last.engine.state}`;
  return reigned(last) === 0 ? last : withProof(view, last);
}

/**
 * The volume of an instance may have two engines for a while: that of a pod which was deleted by force, behind its silent
 * kubelet, and that of the pod made in its place. The one that was RW answers itself, or is proven to have ended.
 */
function withProof({ evidence }: GroupView, last: HeardReport): Found | string {
  const { incarnation, volume } = last;
  const { instanceId } = incarnation;
  const { holder } = volume;
  if (!holder) return `instance ${instanceId} was the last RW, and its volume does not tell which start of it`;
  if (isSameIncarnation(holder, incarnation)) return last;
  const ended = whyEnded(holder, { ...evidence, successor: incarnation });
  if (ended !== undefined) return { ...last, ended };
  const name = formatIncarnation(holder);
  return (
    `instance ${instanceId} was the last RW as ${name}, which nothing proves to have ended; when its processes are gone ` +
    `for certain, annotate the cluster ${ATTESTATION_ANNOTATION}="${name} <your name>"`
  );
}
