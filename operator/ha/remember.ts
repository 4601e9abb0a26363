import type { HeardReport, Sender } from './evidence.ts';
import { isFenced } from './fence.ts';
import { formatIncarnation, isSameIncarnation, parseIncarnation, type Incarnation } from './incarnation.ts';
import { noMemory, type Astray, type GroupMemory } from './memory.ts';
import { isOlder, type GroupRecord } from './record.ts';
import { isFresh, isMute, isServing, reportIn } from './sight.ts';
import type { GroupView } from './view.ts';

/** What to remember after this view; done before each decision, which then sees it in `view.memory`. */
export function remember(view: GroupView): GroupMemory {
  const { memory, recorded, now } = view;
  const record = recorded?.record;
  const holder = record?.holder && reportIn(view, record.holder);
  const base = record && record.epoch !== memory.epoch ? acrossEpochs(memory, record.epoch) : memory;
  return {
    ...base,
    ...momentsOf(view, base, record),
    ...ofHolder(view, base, holder),
    newest: newestOf(memory.newest, record),
    wantedAt: view.wanted === 'running' ? (memory.wantedAt ?? now) : undefined,
    request: requestSeen(view),
    astray: astrayIn(view, base),
    ended: endedOf(view, memory.ended),
  };
}

/**
 * A watch showed this record. Whoever leads next reads one that may have gone back since (etcd restored): a grant that
 * nobody has begun to use is known to no agent.
 */
export const rememberShown = (memory: GroupMemory, record: GroupRecord | undefined): GroupMemory =>
  record ? { ...memory, newest: newestOf(memory.newest, record) } : memory;

/** What outlasts a leadership. */
export const rememberAcross = ({ newest }: GroupMemory): GroupMemory => ({ ...noMemory, newest });

function acrossEpochs(memory: GroupMemory, epoch: number): GroupMemory {
  const { servedAt, ended, astray, rwPosition } = memory;
  return { epoch, servedAt, ended, astray, rwPosition, streamedAt: new Map(), flushed: new Map() };
}

/** A group that was made anew under the same name has another UID, and begins anew here too. */
function newestOf(before: GroupRecord | undefined, record: GroupRecord | undefined): GroupRecord | undefined {
  if (!record || !before || record.clusterUid !== before.clusterUid) return record ?? before;
  return isOlder(record, before) ? before : record;
}

function momentsOf(view: GroupView, base: GroupMemory, record: GroupRecord | undefined): Partial<GroupMemory> {
  const { now, recorded } = view;
  if (!record || !recorded) return {};
  if (record.holder) return { grantKnownAt: base.grantKnownAt ?? now };
  if (!record.former) return {};
  const revokeKnownAt = base.revokeKnownAt ?? now;
  const provenAt =
    base.provenAt ?? (isFenced({ ...view, memory: { ...base, revokeKnownAt } }, recorded) ? now : undefined);
  return { revokeKnownAt, provenAt };
}

function ofHolder(view: GroupView, base: GroupMemory, report: HeardReport | undefined): Partial<GroupMemory> {
  if (!report) return {};
  const { position, incarnation: of, heardAt } = report;
  return {
    ...ofEngine(view, base, report),
    servedAt: isServing(report) ? heardAt : base.servedAt,
    servedSince: base.servedSince ?? (isServing(report) ? view.now : undefined),
    rwPosition: position && isServing(report) ? { ...position, of } : base.rwPosition,
    streamedAt: streamed(view, base, report),
    flushed: flushedBy(report),
  };
}

function ofEngine({ now }: GroupView, base: GroupMemory, report: HeardReport): Partial<GroupMemory> {
  const { state } = report.engine;
  return {
    crashSeenAt: state === 'crashed' ? (base.crashSeenAt ?? now) : undefined,
    upSince: state === 'running' ? (base.upSince ?? now) : undefined,
    muteSince: isMute(report) ? (base.muteSince ?? now) : undefined,
  };
}

function streamed(
  view: GroupView,
  { streamedAt, flushed }: GroupMemory,
  { senders = [], heardAt, position }: HeardReport,
): ReadonlyMap<string, number> {
  const now = senders
    .filter(it => it.state === 'streaming' && (isHeard(view, it) || takesIn(it, flushed, position)))
    .map(it => formatIncarnation(it.incarnation));
  return new Map([...streamedAt, ...now.map(name => [name, heardAt] as const)].slice(-MOST));
}

const isHeard = (view: GroupView, { incarnation }: Sender): boolean => {
  const report = reportIn(view, incarnation);
  return report !== undefined && isFresh(view, report);
};

/**
 * An RW holds on to the connection of a host that vanished, by its own limit, while commits wait for it. One whose agent is
 * silent as well streams only if it takes in what it lacks.
 */
function takesIn(sender: Sender, before: GroupMemory['flushed'], position: HeardReport['position']): boolean {
  const { incarnation, flushed } = sender;
  const isMoving = flushed !== before.get(formatIncarnation(incarnation));
  return isMoving || flushed === undefined || position === undefined || flushed >= position.lsn;
}

const flushedBy = ({ senders = [] }: HeardReport): GroupMemory['flushed'] =>
  new Map(
    senders.flatMap(({ incarnation, flushed }) =>
      flushed === undefined ? [] : [[formatIncarnation(incarnation), flushed] as const],
    ),
  );

function astrayIn(view: GroupView, { astray }: GroupMemory): GroupMemory['astray'] {
  const rw = view.recorded?.record.holder;
  const reports = view.evidence.reports.filter(it => isFresh(view, it) && rw && isWithout(it, rw));
  return new Map(
    reports.flatMap(it => {
      const name = formatIncarnation(it.incarnation);
      const after = astrayAfter(it, astray.get(name), view.now);
      return after ? [[name, after] as const] : [];
    }),
  );
}

/** Follows this RW, and gets nothing from it. */
const isWithout = ({ plan, receiver }: HeardReport, rw: Incarnation): boolean =>
  plan?.upstream !== undefined && isSameIncarnation(plan.upstream, rw) && receiver?.streaming !== true;

/** It begins while it runs; a restart does not end it. What it still reads of its own log comes before it streams. */
function astrayAfter(
  { engine, receiver, position }: HeardReport,
  before: Astray | undefined,
  now: number,
): Astray | undefined {
  if (engine.state !== 'running' || receiver === undefined) return before;
  const lsn = position?.lsn;
  const isMoving = before?.lsn !== undefined && lsn !== undefined && lsn > before.lsn;
  return before && !isMoving ? before : { since: now, ...(lsn !== undefined && { lsn }) };
}

function requestSeen({ request, memory, now }: GroupView): GroupMemory['request'] {
  if (!request) return undefined;
  return memory.request?.id === request.id ? memory.request : { id: request.id, at: now };
}

/** Names kept: far more than a group has members. */
const MOST = 256;

function endedOf({ evidence: { pods } }: GroupView, before: ReadonlySet<string>): ReadonlySet<string> {
  const words = pods.flatMap(pod => pod.terminated.map(it => it.message?.split('\n', 1)[0]?.trim() ?? ''));
  const fresh = words.filter(it => parseIncarnation(it) && !before.has(it));
  return fresh.length === 0 ? before : new Set([...before, ...fresh].slice(-MOST));
}
