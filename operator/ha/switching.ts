import type { Command, Decision, RequestVerdict } from './action.ts';
import { areSuccessorsReady, isReadyOnVolume } from './candidates.ts';
import type { HeardReport } from './evidence.ts';
import { isSameIncarnation } from './incarnation.ts';
import { holderReport } from './keeping.ts';
import { revokeFor } from './revoking.ts';
import { act, wait, type Policy, type Said } from './said.ts';
import { alive, instanceOf, isEligible, isFollowing, isServing, outcomeOf, type Seen } from './sight.ts';
import type { CommandOutcome, GroupView, HaRequest } from './view.ts';

/** Planned moves of a serving RW. Until the revoke nothing has happened, so each of them can still be refused. */
export const switching: readonly Policy[] = [
  { name: 'Switchover', say: switchover },
  { name: 'Drain', say: drain },
];

function switchover(view: Seen): Said | undefined {
  const { request } = view;
  const holder = holderReport(view);
  if (request?.kind !== 'switchover' || !holder || !isServing(holder)) return undefined;
  if (request.acceptedEpoch === undefined) return judge(view, request, holder);
  if (request.acceptedEpoch < view.record.epoch) return { request: endOf(view, request, holder) };
  return carryOut(view, request, holder);
}

/** Refused while nothing has happened, else accepted for a target. */
function judge(view: Seen, request: HaRequest, holder: HeardReport): Said | undefined {
  const objection = objectionTo(view, request, holder);
  if (objection) return { request: verdict(view, request, 'refused', objection) };
  const target = targetOf(view, request, holder);
  if (target) {
    const reason = { reason: 'TargetReady', message: `instance ${target.incarnation.instanceId} takes over` };
    return { request: { ...verdict(view, request, 'accepted', reason), target: target.incarnation.instanceId } };
  }
  const until = deadline(view);
  const late = { reason: 'TargetLags', message: `no target caught up within ${view.options.catchUpMs} ms` };
  if (view.now >= until) return { request: verdict(view, request, 'refused', late) };
  return { wakeAt: until };
}

interface Why {
  reason: string;
  message: string;
}

/** What no waiting would change. */
function objectionTo(view: Seen, { target }: HaRequest, holder: HeardReport): Why | undefined {
  if (target === undefined) return undefined;
  const instance = view.instances.find(it => it.id === target);
  if (!instance) return unknown(target);
  if (target === holder.incarnation.instanceId)
    return { reason: 'TargetIsRw', message: `instance ${target} is the RW` };
  if (instance.follows === 'standby') return { reason: 'TargetIsStandby', message: `instance ${target} is a standby` };
  if (alive(view).some(it => it.incarnation.instanceId === target)) return undefined;
  return { reason: 'TargetUnhealthy', message: `the agent of instance ${target} does not answer` };
}

/** The wanted target, else the best, once it can take over without a loss. */
function targetOf(view: Seen, { target }: Pick<HaRequest, 'target'>, holder: HeardReport): HeardReport | undefined {
  const able = alive(view).filter(it => it !== holder && isCaughtUp(view, it, holder));
  const isStaying = (it: HeardReport): boolean => instanceOf(view, it.incarnation)?.isLeaving === false;
  if (target !== undefined) return able.find(it => it.incarnation.instanceId === target);
  return able.find(isStaying);
}

function isCaughtUp(view: Seen, report: HeardReport, holder: HeardReport): boolean {
  if (!isFollowing(report) || !isEligible(view, report.incarnation)) return false;
  if (view.topology === 'share') return isReadyOnVolume(view, report) && isStreamingHere(view, report);
  const isFull = view.record.members.some(it => !it.pending && isSameIncarnation(it.incarnation, report.incarnation));
  return isFull && areSuccessorsReady(view) && isNear(report, holder);
}

const isStreamingHere = (view: Seen, { receiver }: HeardReport): boolean =>
  !view.isStreaming || receiver?.streaming === true;

/** So little is sent and flushed in the time of a fast stop, bytes. */
const NEAR = 16n * 1024n * 1024n;

function isNear({ incarnation }: HeardReport, holder: HeardReport): boolean {
  const sender = holder.senders?.find(it => isSameIncarnation(it.incarnation, incarnation));
  if (sender?.state !== 'streaming' || sender.flushed === undefined || !holder.position) return false;
  return holder.position.lsn - sender.flushed <= NEAR;
}

/** A checkpoint makes the stop short; then the right is taken, and what follows is as after any revoke. */
function carryOut(view: Seen, request: HaRequest, holder: HeardReport): Said {
  const target = targetOf(view, request, holder);
  if (!target) {
    const until = deadline(view);
    const why = {
      reason: 'TargetUnhealthy',
      message: 'the target can no longer take over, or is far behind; the RW was left in its place',
    };
    if (view.now >= until) return { request: verdict(view, request, 'failed', why) };
    return wait('SwitchoverPreparing', 'waits for the target to be ready again', { wakeAt: until });
  }
  const message = `${request.by} asks for instance ${target.incarnation.instanceId}`;
  return afterCheckpoint(view, holder) ?? afterReport(view, holder) ?? revokeFor(view, 'Switchover', message);
}

/** A checkpoint that fails or takes too long is done without. */
function afterCheckpoint(view: Seen, holder: HeardReport): Said | undefined {
  const checkpoint: Command = { do: 'checkpoint', on: holder.incarnation };
  const last = outcomeOf(view, checkpoint);
  const outcome = last && isRecent(view, last) ? last : undefined;
  if (outcome && outcome.state !== 'running') return undefined;
  const until = deadline(view);
  if (outcome && view.now >= until) return undefined;
  const waiting = wait('SwitchoverPreparing', 'the RW makes a checkpoint', { wakeAt: until });
  return outcome ? waiting : { ...waiting, ...act(checkpoint) };
}

/**
 * One of before the request made no stop short, and says nothing of how far members are now: it belonged to another move,
 * or to a member that was rewound.
 */
const isRecent = ({ now, options, memory }: Seen, { state, endedAt = now }: CommandOutcome): boolean =>
  state === 'running' || endedAt >= (memory.request?.at ?? now - 2 * options.catchUpMs);

/**
 * How far members are behind changes between two reports, by all that is written in half a second or in a long
 * checkpoint. So the target is judged by what the RW says after it; each report is looked at as it comes.
 */
function afterReport(view: Seen, { incarnation: on, heardAt }: HeardReport): Said | undefined {
  const endedAt = outcomeOf(view, { do: 'checkpoint', on })?.endedAt ?? 0;
  if (heardAt >= endedAt) return undefined;
  const { now, options } = view;
  return wait('SwitchoverPreparing', 'the RW is about to tell how far its members are', {
    wakeAt: now + options.beatMs,
  });
}

const deadline = ({ memory: { request }, now, options }: GroupView): number => (request?.at ?? now) + options.catchUpMs;

function endOf(view: Seen, request: HaRequest, holder: HeardReport): RequestVerdict | undefined {
  const { published } = view;
  if (!published || !isSameIncarnation(published, holder.incarnation)) return undefined;
  const { instanceId } = holder.incarnation;
  const isThere = request.target === undefined || request.target === instanceId;
  const why = { reason: isThere ? 'Switched' : 'OtherInstance', message: `instance ${instanceId} is the RW` };
  return verdict(view, request, isThere ? 'done' : 'failed', why);
}

/** Epoch 0: there is no record. */
const verdict = (
  { recorded }: GroupView,
  { id }: HaRequest,
  outcome: RequestVerdict['outcome'],
  why: Why,
): RequestVerdict => ({ id, outcome, epoch: recorded?.record.epoch ?? 0, ...why });

/** The RW of a cordoned node moves before its pod has to go. */
function drain(view: Seen): Said | undefined {
  const holder = holderReport(view);
  if (!holder || !isServing(holder) || view.isHeld || view.request) return undefined;
  if (!instanceOf(view, holder.incarnation)?.isLeaving) return undefined;
  const { instanceId } = holder.incarnation;
  const target = targetOf(view, {}, holder);
  if (!target) {
    const name = `instance ${instanceId} is the RW and its node is to be drained`;
    return { wait: { reason: 'DrainWaits', message: `${name}; no instance elsewhere can take over yet` } };
  }
  const to = target.incarnation.instanceId;
  return (
    afterCheckpoint(view, holder) ??
    afterReport(view, holder) ??
    revokeFor(view, 'Drain', `the node of instance ${instanceId} is drained, ${to} is ready`)
  );
}

/** Word about a forced failover: refused while there is a writer, done when there is one again. */
export function forceVerdict(view: Seen): RequestVerdict | undefined {
  const { request } = view;
  if (request?.kind !== 'force') return undefined;
  const isBegun = request.acceptedEpoch !== undefined;
  const holder = holderReport(view);
  if (holder && isServing(holder))
    return isBegun ? endOf(view, request, holder) : verdict(view, request, 'refused', WRITER_AVAILABLE);
  const { target, by } = request;
  const isThere = target === undefined || view.instances.some(it => it.id === target);
  if (!isThere) return verdict(view, request, isBegun ? 'failed' : 'refused', unknown(target));
  const why = { reason: 'Forced', message: `${by} accepts the loss of rows` };
  return isBegun ? undefined : verdict(view, request, 'accepted', why);
}

const WRITER_AVAILABLE = { reason: 'WriterAvailable', message: 'there is a working RW: use a switchover' };
const unknown = (target: string): Why => ({ reason: 'TargetUnknown', message: `there is no instance ${target}` });

/**
 * Other operations of the cluster wait for this one, those too that would bring an RW back. So what cannot begin comes to
 * an end, whatever keeps it: no RW that could hand over, a record that is lost, a cluster that was stopped.
 */
export function withoutDelay(view: GroupView, decision: Decision): Decision {
  const { request, now } = view;
  if (!request || decision.request || isUnderWay(view, request, decision)) return decision;
  const until = deadline(view);
  if (now < until) return { ...decision, wakeAt: Math.min(decision.wakeAt ?? Infinity, until) };
  const outcome = request.acceptedEpoch === undefined ? 'refused' : 'failed';
  const why = decision.wait?.message ?? 'the cluster has no RW';
  const message = `nothing could be begun within ${view.options.catchUpMs} ms: ${why}`;
  return { ...decision, request: verdict(view, request, outcome, { reason: 'NoWriter', message }) };
}

/** What was accepted has begun with the revoke; by force it waits for proof as long as a person lets it. */
function isUnderWay({ wanted, recorded }: GroupView, request: HaRequest, { policy, actions }: Decision): boolean {
  const { kind, acceptedEpoch } = request;
  if (acceptedEpoch === undefined || wanted === 'stopped') return false;
  const isRevoked = recorded !== undefined && acceptedEpoch < recorded.record.epoch;
  return kind === 'force' || isRevoked || policy === 'Switchover' || actions.some(it => it.do === 'revoke');
}
