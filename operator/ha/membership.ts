import type { HeardReport } from './evidence.ts';
import { formatIncarnation, isSameIncarnation, type Incarnation } from './incarnation.ts';
import { holderReport } from './keeping.ts';
import { nextQuorumStep, type QuorumStep } from './quorum.ts';
import { setMembers } from './record.ts';
import { act, write, type Policy, type Said } from './said.ts';
import { alive, instanceOf, isEligible, isFollowing, isFresh, isServing, type Seen } from './sight.ts';

/** Keeps (E, k) at what the healthy members allow. */
export const membership: readonly Policy[] = [{ name: 'Members', say: members }];

function members(view: Seen): Said | undefined {
  const holder = holderReport(view);
  const wanted = wantedSetting(view);
  if (!holder || !isServing(holder) || !wanted) return undefined;
  const step = nextQuorumStep({
    record: view.record,
    engine: holder.quorum,
    wanted,
    flushed: member => holder.senders?.find(it => isSameIncarnation(it.incarnation, member))?.flushed,
  });
  return step && asSaid(view, holder, step);
}

function asSaid(view: Seen, holder: HeardReport, step: QuorumStep): Said {
  // Not a lack of a writer: nothing is said to people, the next report goes on with it.
  if (step.do === 'awaitProof') return {};
  if (step.do === 'engine') {
    const { members: named, k, generation } = step;
    return act({ do: 'quorum', on: holder.incarnation, members: named, k, generation });
  }
  const names = step.members.map(it => `${it.incarnation.instanceId}${it.pending ? ' (pending)' : ''}`);
  return write('setMembers', setMembers(view.record, step), {
    message: `E: ${names.join(', ') || 'empty'}; k: ${step.k}`,
  });
}

/** Undefined: stays as it is. */
function wantedSetting(view: Seen): { members: Incarnation[]; k: number } | undefined {
  if (view.topology === 'share') {
    const isUsed = view.options.unfencedFailover === 'afterExpiry';
    return { members: isUsed ? readyOnVolume(view) : [], k: 0 };
  }
  const kept = view.record.members.map(it => it.incarnation).filter(it => isKept(view, it));
  const added = alive(view)
    .filter(it => mayJoin(view, it) && !kept.some(other => isSameIncarnation(other, it.incarnation)))
    .map(it => it.incarnation);
  const all = [...kept, ...added];
  if (all.length === 0 && view.options.durability === 'required') return undefined;
  return { members: all, k: Math.min(1, all.length) };
}

const readyOnVolume = (view: Seen): Incarnation[] =>
  view.evidence.reports
    .filter(it => (isFresh(view, it) && !it.leaving) || isKept(view, it.incarnation))
    .filter(it => isFollowing(it) && isEligible(view, it.incarnation))
    .map(it => it.incarnation);

/** It streams now, by the RW's word. */
function isStreamingNow(view: Seen, who: Incarnation): boolean {
  const sender = holderReport(view)?.senders?.find(it => isSameIncarnation(it.incarnation, who));
  return sender?.state === 'streaming';
}

/**
 * Each of E may be needed for a choice. One that was just filled or rewound streams before its data is consistent, and
 * until then answers nothing; with the RW gone it never would. A member that leaves its host soon is not let in either,
 * but stays in while it streams. The RW may be late to see an end, and one whose history has parted streams for a moment
 * before it is sent away.
 */
const mayJoin = (view: Seen, report: HeardReport): boolean => {
  const { incarnation: who } = report;
  return (
    isFollowing(report) &&
    !report.needsRejoin &&
    isEligible(view, who) &&
    !view.memory.ended.has(formatIncarnation(who)) &&
    instanceOf(view, who)?.isLeaving === false &&
    isStreamingNow(view, who)
  );
};

/** A member in E stays while it streams, or did a moment ago; at once out is one that is known to have ended. */
function isKept(view: Seen, who: Incarnation): boolean {
  const { memory, now, options, topology } = view;
  if (!isEligible(view, who) || memory.ended.has(formatIncarnation(who)) || isReplaced(view, who)) return false;
  const heard = view.evidence.reports.find(it => isSameIncarnation(it.incarnation, who))?.heardAt;
  const name = formatIncarnation(who);
  const seenAt = topology === 'share' ? heard : memory.streamedAt.get(name);
  // While its engine was down nobody could stream from it.
  const from = Math.max(seenAt ?? 0, ...[memory.grantKnownAt, memory.servedSince, memory.upSince].map(at => at ?? 0));
  return now - from < options.memberLostMs;
}

const isReplaced = (view: Seen, who: Incarnation): boolean =>
  alive(view).some(it => it.incarnation.instanceId === who.instanceId && !isSameIncarnation(it.incarnation, who));
