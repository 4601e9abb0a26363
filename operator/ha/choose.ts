import { answersNeeded, answersOf, hasQuorum, isFit, rank, shortOfQuorum, type Answer } from './candidates.ts';
import type { HeardReport } from './evidence.ts';
import { climbFor } from './fence.ts';
import { attestationAdvice } from './ladder.ts';
import { formatIncarnation, isSameIncarnation } from './incarnation.ts';
import { comparePosition, type LogPosition } from './lsn.ts';
import type { HaOptions } from './options.ts';
import { isFirstCreation, type Member, type RevokeCause } from './record.ts';
import { alive, instanceOf, isEligible, isFollowing, type Seen } from './sight.ts';
import type { WaitReason } from './waits.ts';

/** Whom to grant next, with the E of the grant; or why nobody yet, and when time alone may change that. */
export type Choice = Chosen | Missing;

interface Missing {
  reason: WaitReason;
  message: string;
  wakeAt?: number;
}

export interface Chosen {
  chosen: HeardReport;
  members: readonly Member[];
  k: number;
  /** Of a forced choice: what may be lost by it. */
  loss?: string;
}

/** The former holder is proven stopped, or nobody ever held the group. */
export function choose(view: Seen): Choice {
  if (isFirstCreation(view.record)) return chooseInstance(view, view.first);
  if (isForced(view)) return chooseForced(view);
  return view.topology === 'share' ? chooseOnVolume(view) : chooseByQuorum(view);
}

/** A person forces it: the quorum is not asked for, the proof is (protocol, Choice). */
export const isForced = ({ request }: Seen): boolean =>
  request?.kind === 'force' && request.acceptedEpoch !== undefined;

/** The rung that the proof of the former holder stands on. */
function rungOf(view: Seen): number | undefined {
  if (view.record.fence) return view.record.fence.rung;
  const climbed = climbFor(view, view.recorded);
  return climbed.proven ? climbed.fence.rung : undefined;
}

// One volume each

/**
 * N - k + 1 members of E have answered: the highest wins. Else the former RW's own instance, which holds everything. In
 * a cold start that one is waited for first, and members may answer in new incarnations after that.
 */
function chooseByQuorum(view: Seen): Choice {
  const isLate = view.now >= coldStartEnd(view);
  const all = answersOf(view).filter(it => it.member && (it.isOriginal || isLate));
  const answers = all.filter((it, i) => all.findIndex(other => other.member === it.member) === i);
  const needed = answersNeeded(view);
  if (hasQuorum(view) && answers.length >= needed) {
    const [best] = rank(view, answers).filter(it => mayBeGranted(view, it));
    if (best && isHighest(best, answers)) return granted(view, best, answers);
  }
  const waitUntil = quorumWaitEnd(view);
  if (view.now < waitUntil && couldAnswer(view) >= needed) {
    return { reason: 'QuorumMissing', message: 'members of E are answering', wakeAt: waitUntil };
  }
  const own = chooseInstance(view, formerInstance(view));
  if ('chosen' in own) return own;
  if (isLate) return notByQuorum(view, answers, own);
  const wakeAt = coldStartEnd(view);
  return wasStopped(view) ? coldStart(own, wakeAt) : { ...notByQuorum(view, answers, own), wakeAt };
}

const wasStopped = ({ record }: Seen): boolean => record.former?.cause === 'Stopped';

/** In each start of a cluster its pods come one by one: nobody shall be told to force anything then. */
const coldStart = (own: Missing, wakeAt: number): Missing =>
  own.reason === 'InstanceDown'
    ? { reason: 'ColdStart', message: `${own.message}; it was RW last, and is waited for before others`, wakeAt }
    : { ...own, wakeAt };

/** A member that is pending may hold the highest log; on expiry alone it may not be granted (protocol, rung 4). */
const mayBeGranted = (view: Seen, { report, member }: Answer): boolean =>
  isEligible(view, report.incarnation) && isFit(view, report) && !(member?.pending && rungOf(view) === 4);

const isHighest = ({ position }: Answer, answers: readonly Answer[]): boolean =>
  answers.every(it => comparePosition(it.position, position) <= 0);

/** How many of E might still answer, by their last reports. */
const couldAnswer = (view: Seen): number =>
  hasQuorum(view)
    ? alive(view).filter(it => view.record.members.some(m => isSameIncarnation(m.incarnation, it.incarnation))).length
    : 0;

/** Revoked so that another one follows: its own instance is the way back, which a busy host shall not be sent. */
const MOVES: readonly (RevokeCause | undefined)[] = ['Switchover', 'Drain', 'Leaving', 'Forced'];

function quorumWaitEnd({ record, memory, now, options }: Seen): number {
  const cause = record.former?.cause;
  if (cause === 'Stopped') return now;
  return (memory.provenAt ?? now) + (MOVES.includes(cause) ? longestQuorumWait(options) : options.quorumWaitMs);
}

/** The members' answers may take as long as the stop of the former RW did before them, ms. */
export const longestQuorumWait = ({ quorumWaitMs, stopMs }: HaOptions): number => Math.max(quorumWaitMs, stopMs);

/** From when both are known: that an RW is wanted, and that the former one is stopped. */
const coldStartEnd = ({ memory: { provenAt, wantedAt }, now, options }: Seen): number =>
  Math.max(provenAt ?? now, wantedAt ?? now) + options.coldStartMs;

function notByQuorum(view: Seen, answers: readonly Answer[], own: Missing): Missing {
  if (!hasQuorum(view)) {
    return {
      reason: own.reason,
      message: `${own.message}; no other instance is known to hold every acknowledged row. ${FORCE}`,
    };
  }
  if (answers.length >= answersNeeded(view) && rungOf(view) === 4) {
    return {
      reason: 'NoCandidate',
      message: `the members that hold every row may not be granted: ${expiryAdvice(view)}`,
    };
  }
  const present = answers.flatMap(it => it.member ?? []);
  const message = `${shortOfQuorum(view, present, 'have answered')}, and ${own.message}. ${FORCE}`;
  return { reason: 'QuorumMissing', message };
}

const FORCE =
  'Bring one of them back, or accept the loss of rows with an operation of type forceFailover when they are gone for good';

/** E holds only members whose log equals the winner's; the others enter by the rule for more members. */
function granted(view: Seen, winner: Answer, answers: readonly Answer[]): Choice {
  const equal = answers.filter(
    it =>
      it !== winner && comparePosition(it.position, winner.position) === 0 && isEligible(view, it.report.incarnation),
  );
  const members = equal.map(it => ({ incarnation: it.report.incarnation, pending: false }));
  return { chosen: winner.report, members, k: Math.min(1, members.length) };
}

// One volume for all

/** Any live member that may run there; nothing acknowledged can be lost. On expiry alone only full members of E. */
function chooseOnVolume(view: Seen): Choice {
  const coldEnd = coldStartEnd(view);
  const own = chooseInstance(view, formerInstance(view));
  if (wasStopped(view) && view.now < coldEnd) {
    return 'chosen' in own ? { ...own, ...volumeMembers(view, own.chosen) } : coldStart(own, coldEnd);
  }
  const isExpired = rungOf(view) === 4;
  const live = alive(view).filter(it => isEligible(view, it.incarnation) && isFit(view, it) && isAlone(view, it));
  const allowed = live.filter(it => !isExpired || isFullMember(view, it));
  const [chosen] = allowed.sort((a, b) => volumeCost(view, a) - volumeCost(view, b) || byLag(a, b));
  if (chosen) return { chosen, ...volumeMembers(view, chosen) };
  return { reason: 'NoCandidate', message: `no instance can become RW: ${whyNone(view, isExpired)}` };
}

/** Lowest first: the target, then one that will stay, then an engine that is up, then the instance that held it. */
function volumeCost(view: Seen, { incarnation, engine }: HeardReport): number {
  const isTarget = incarnation.instanceId === view.request?.target;
  const isOther = incarnation.instanceId !== formerInstance(view);
  const isUp = view.isStreaming && engine.state === 'running';
  return [!isTarget, instanceOf(view, incarnation)?.isLeaving ?? true, !isUp, isOther].reduce(
    (sum, it) => 2 * sum + Number(it),
    0,
  );
}

const byLag = (a: HeardReport, b: HeardReport): number =>
  a.position && b.position ? comparePosition(b.position, a.position) : Number(!a.position) - Number(!b.position);

const isFullMember = ({ record }: Seen, { incarnation }: HeardReport): boolean =>
  record.members.some(it => !it.pending && isSameIncarnation(it.incarnation, incarnation));

/** Two live incarnations of one instance: nobody can say which of them is meant. */
const isAlone = (view: Seen, { incarnation }: HeardReport): boolean =>
  alive(view).filter(it => it.incarnation.instanceId === incarnation.instanceId).length === 1;

/** Where expiry counts, E says who may be promoted by it; commits wait for nobody. */
function volumeMembers(view: Seen, chosen: HeardReport): { members: readonly Member[]; k: number } {
  if (view.options.unfencedFailover === 'never') return { members: [], k: 0 };
  const others = alive(view).filter(it => it !== chosen && isFollowing(it) && isEligible(view, it.incarnation));
  return { members: others.map(it => ({ incarnation: it.incarnation, pending: false })), k: 0 };
}

/** On expiry alone few may be granted: with a person's word more may. */
function expiryAdvice({ record: { former } }: Seen): string {
  const rule = 'after mere expiry only full members of E count';
  return former ? `${rule}; ${attestationAdvice(former)}` : rule;
}

function whyNone(view: Seen, isExpired: boolean): string {
  const silent = view.instances.filter(it => !alive(view).some(at => at.incarnation.instanceId === it.id));
  const down = silent.length > 0 ? `no agent of ${silent.map(it => it.id).join(', ')} answers` : 'none of them may run';
  return isExpired ? `${down}; ${expiryAdvice(view)}` : down;
}

// One instance, and by force

const formerInstance = ({ record, first }: Seen): string => record.former?.incarnation.instanceId ?? first;

/** This very instance, in whatever incarnation is alive. */
function chooseInstance(view: Seen, id: string): Choice {
  const own = alive(view).filter(it => it.incarnation.instanceId === id);
  if (own.length > 1) {
    return { reason: 'TwoIncarnations', message: `instance ${id} answers from ${own.length} incarnations` };
  }
  if (own[0]) return { chosen: own[0], members: [], k: 0 };
  return { reason: 'InstanceDown', message: `the agent of instance ${id} does not answer` };
}

function chooseForced(view: Seen): Choice {
  if (rungOf(view) === 4) {
    const advice = view.record.former ? `: ${attestationAdvice(view.record.former)}` : '';
    return {
      reason: 'FormerNotProven',
      message: `forcing needs proof that the former RW is off; expiry is none${advice}`,
    };
  }
  const target = view.request?.target;
  const able = alive(view).filter(it => isFit(view, it) && isAlone(view, it));
  const [chosen] = able
    .filter(it => target === undefined || it.incarnation.instanceId === target)
    .sort((a, b) => byPosition(view, a, b));
  if (!chosen)
    return { reason: 'NoCandidate', message: `${target ? `instance ${target}` : 'no instance'} can become RW` };
  return { chosen, members: [], k: 0, loss: lossBy(view, chosen) };
}

const positionOf = (view: Seen, it: HeardReport): LogPosition | undefined =>
  answersOf(view).find(answer => answer.report === it)?.position ?? it.position;

function byPosition(view: Seen, a: HeardReport, b: HeardReport): number {
  const [left, right] = [positionOf(view, a), positionOf(view, b)];
  return left && right ? comparePosition(right, left) : Number(!left) - Number(!right);
}

/** What people are told, and what stands in the history. */
function lossBy(view: Seen, chosen: HeardReport): string {
  const { rwPosition } = view.memory;
  const own = positionOf(view, chosen);
  if (chosen.incarnation.instanceId === formerInstance(view) || view.topology === 'share') return 'none';
  if (!rwPosition || !own || rwPosition.timeline !== own.timeline) {
    return `unknown: how far ${formatIncarnation(view.record.former?.incarnation ?? chosen.incarnation)} had written is not known`;
  }
  const bytes = rwPosition.lsn > own.lsn ? rwPosition.lsn - own.lsn : 0n;
  return `at least ${bytes} bytes of WAL after the last report of the RW that was heard`;
}
