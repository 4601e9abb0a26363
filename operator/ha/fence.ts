import type { Evidence, Expiry, HeardReport } from './evidence.ts';
import { formatIncarnation, isSameIncarnation } from './incarnation.ts';
import { climb, type Climb } from './ladder.ts';
import { DEFAULT_TTL_MS } from './right.ts';
import type { FormerHolder, GroupRecord } from './record.ts';
import type { GroupView, Recorded } from './view.ts';

/** Climbs the ladder for a group's former holder. @throws Error when the record has none */
export function climbFor(view: GroupView, { record, version }: Recorded): Climb {
  const { reports, pods, node, attestation, storageFence } = view.evidence;
  const uid = record.former?.incarnation.podUid;
  const evidence: Evidence = {
    reports,
    pod: pods.find(it => it.uid === uid),
    node,
    attestation,
    storageFence,
    expiry: expiryOf(view, record),
  };
  return climb({ record, recordVersion: version, now: view.at }, evidence);
}

/** Is the former holder proven stopped, recorded or not? */
export const isFenced = (view: GroupView, recorded: Recorded): boolean =>
  recorded.record.fence !== undefined || climbFor(view, recorded).proven;

/** Does rung 4 count here at all? Not on a shared volume, unless its owner took the risk; not without members in E. */
export const isExpiryProof = (
  { topology, options }: Pick<GroupView, 'topology' | 'options'>,
  { members }: GroupRecord,
): boolean => members.some(it => !it.pending) && (topology === 'local' || options.unfencedFailover === 'afterExpiry');

/**
 * Rung 4: the former holder's right has run out, wherever it is: ttl and margin after the latest of what could have
 * given it one. Of the promises one member's are enough, because they extend a right only all together.
 */
export function expiryOf(view: GroupView, record: GroupRecord): Expiry | undefined {
  const { former } = record;
  const { revokeKnownAt } = view.memory;
  if (!former || !isExpiryProof(view, record)) return undefined;
  const refusers = record.members.flatMap(member => {
    const report = view.evidence.reports.find(it => isSameIncarnation(it.incarnation, member.incarnation));
    return !member.pending && report?.prepared?.epoch === record.epoch ? [report] : [];
  });
  if (refusers.length === 0 || revokeKnownAt === undefined) {
    return { over: false, missing: 'no member of E has answered that it refuses promises' };
  }
  const [first, ...others] = refusers.map(it => ({ refuser: it, at: lastPromiseOf(it) })) as [Refusal, ...Refusal[]];
  const earliest = others.reduce((a, b) => (b.at < a.at ? b : a), first);
  const { since, lastAnswerAt = since } = view.leader;
  const from = Math.max(revokeKnownAt, since, lastAnswerAt, earliest.at);
  return afterTtl(view, former, { from, refuser: earliest.refuser });
}

interface Refusal {
  refuser: HeardReport;
  at: number;
}

/** No later than this, by our clock: the report took some time to come. */
const lastPromiseOf = ({ heardAt, prepared }: HeardReport): number => heardAt - (prepared?.promiseAgeMs ?? 0);

function afterTtl(
  { now, options: { marginMs } }: GroupView,
  former: FormerHolder,
  { from, refuser }: { from: number; refuser: HeardReport },
): Expiry {
  const wait = (former.grant.ttlMs ?? DEFAULT_TTL_MS) + marginMs;
  const at = from + wait;
  if (now < at) return { over: false, missing: `its right runs out in ${Math.ceil(at - now)} ms`, at };
  const who = formatIncarnation(refuser.incarnation);
  return { over: true, text: `no right for ${wait} ms: none was given since the revoke, ${who} refuses promises` };
}
