import { areSuccessorsReady, hasQuorum, missingSuccessors } from './candidates.ts';
import { bootVerdict } from './boot.ts';
import type { HeardReport } from './evidence.ts';
import { isExpiryProof } from './fence.ts';
import { formatIncarnation, isSameIncarnation, type Incarnation } from './incarnation.ts';
import { attestationAdvice } from './ladder.ts';
import { revoke, type RevokeCause } from './record.ts';
import { act, wait, write, type Policy, type Said } from './said.ts';
import { alive, isFollowing, isFresh, isServing, reportIn, type Seen } from './sight.ts';

/**
 * When the holder loses its right. A revoke has no way back, so it needs the agent's own report, or silence and a second
 * witness; and, where nothing forces it, somebody who can take over.
 */
export const revoking: readonly Policy[] = [
  { name: 'RevokeUnwanted', say: unwanted },
  { name: 'RevokeReplaced', say: replaced },
  { name: 'RevokeLeaving', say: leaving },
  { name: 'RevokeForced', say: forced },
  { name: 'HolderSilent', say: silent },
  { name: 'HolderUnfit', say: unfit },
  { name: 'HolderCrashed', say: crashed },
  { name: 'HolderHung', say: hung },
];

/** An engine that runs and has not answered SQL for so long counts as failed, ms. */
const HUNG_MS = 5000;

export const revokeFor = (view: Seen, cause: RevokeCause, message: string): Said =>
  write('revoke', revoke(view.record, view.at, cause), { message });

const holderOf = ({ record }: Seen): Incarnation | undefined => record.holder;

/** The holder's report, when it was heard of late. */
function freshReport(view: Seen): HeardReport | undefined {
  const holder = holderOf(view);
  const report = holder && reportIn(view, holder);
  return report && isFresh(view, report) ? report : undefined;
}

function unwanted(view: Seen): Said | undefined {
  if (!holderOf(view) || view.wanted === 'running') return undefined;
  return revokeFor(view, 'Stopped', 'the cluster shall be stopped');
}

/** Its agent is gone for good: silent, and another one in its place, its pod gone, or its end told by others. */
function replaced(view: Seen): Said | undefined {
  const holder = holderOf(view);
  if (!holder || (freshReport(view) && !hasSuccessor(holder, view))) return undefined;
  const end = endOf(holder, view);
  return end === undefined ? undefined : revokeFor(view, 'Replaced', `${formatIncarnation(holder)}: ${end}`);
}

/** A pod runs its engine container once at a time: who answered to this epoch there has come after the holder. */
const hasSuccessor = (holder: Incarnation, view: Seen): boolean =>
  alive(view).some(
    it =>
      it.incarnation.podUid === holder.podUid &&
      !isSameIncarnation(it.incarnation, holder) &&
      it.askedAtEpoch === view.record.epoch,
  );

/** The first sign that it cannot come back; undefined when there is none. */
function endOf(holder: Incarnation, view: Seen): string | undefined {
  const { attestation, node } = view.evidence;
  const other = alive(view).find(
    it => it.incarnation.instanceId === holder.instanceId && !isSameIncarnation(it.incarnation, holder),
  );
  if (other) return `${formatIncarnation(other.incarnation)} is there instead`;
  if (node?.outOfService && node.isSilent) return 'its node is tainted out-of-service';
  if (attestation && isSameIncarnation(attestation.incarnation, holder)) return `${attestation.who} says it is dead`;
  const isEnded = view.memory.ended.has(formatIncarnation(holder)) || isNotedEnded(view);
  return isEnded ? 'its kubelet reports it ended' : podGone(holder, view);
}

function podGone(holder: Incarnation, view: Seen): string | undefined {
  const isHeard = reportIn(view, holder) !== undefined;
  const isSilent = isHeard || view.now - view.leader.since >= view.options.silentMs;
  if (!isSilent) return undefined;
  const pod = view.evidence.pods.find(it => it.uid === holder.podUid);
  if (!pod) return 'it is silent and its pod is gone';
  return pod.leaving ? 'it is silent and its pod is being deleted' : undefined;
}

const isNotedEnded = ({ record, evidence: { pods } }: Seen): boolean =>
  pods.some(pod => pod.terminated.some(it => it.containerId === record.grant?.containerId));

/** Its container was told to end: what can be done in order is done before the grace is over. */
function leaving(view: Seen): Said | undefined {
  const report = freshReport(view);
  if (!report?.leaving) return undefined;
  return revokeFor(view, 'Leaving', `the pod of instance ${report.incarnation.instanceId} is on its way out`);
}

/** A person takes the right away from an RW that does not serve. */
function forced(view: Seen): Said | undefined {
  const { request } = view;
  const report = freshReport(view);
  if (!holderOf(view) || request?.kind !== 'force' || request.acceptedEpoch === undefined) return undefined;
  if (request.acceptedEpoch < view.record.epoch || (report && isServing(report))) return undefined;
  return revokeFor(view, 'Forced', `${request.by} forces a failover`);
}

/** Silence alone revokes nothing: it may be ours. */
function silent(view: Seen): Said | undefined {
  const holder = holderOf(view);
  if (!holder || freshReport(view)) return undefined;
  const { memory, leader, options, now } = view;
  const heardAt = reportIn(view, holder)?.heardAt ?? Math.max(memory.grantKnownAt ?? now, leader.since);
  const silentAt = heardAt + options.silentMs;
  const name = formatIncarnation(holder);
  if (now < silentAt) return wait('HolderSilent', `nothing was heard of ${name} yet`, { wakeAt: silentAt });
  const missing = missingForFailover(view, holder);
  if (missing === undefined)
    return revokeFor(view, 'HostSilent', `${name} is silent, and others do not reach it either`);
  return wait('HolderSilent', `the agent of ${name} does not answer; it keeps its right: ${missing}`);
}

const advice = ({ record: { grant } }: Seen, incarnation: Incarnation): string =>
  grant ? attestationAdvice({ incarnation, grant }) : '';

/** Why a silent holder is left alone; undefined when it can be replaced. */
function missingForFailover(view: Seen, holder: Incarnation): string | undefined {
  if (view.isHeld) return 'automatic failover is held off';
  if (!isExpiryProof(view, view.record))
    return `nothing would prove that it has stopped before it answers again. Bring its host back, or ${advice(view, holder)}`;
  if (!areSuccessorsReady(view))
    return `${missingSuccessors(view)}. Bring one of the hosts back, or ${advice(view, holder)}`;
  return hasWitness(view, holder) ? undefined : 'nobody else has lost sight of it';
}

/**
 * A second witness: a follower that gets nothing from it any more, a member that probed it, or its node's silence. What a
 * follower lacked before it fell silent says nothing of it.
 */
export function hasWitness(view: Seen, holder: Incarnation): boolean {
  const { probes, node } = view.evidence;
  const served = reportIn(view, holder)?.senders?.filter(it => it.state === 'streaming');
  const receivers = alive(view)
    .filter(it => isFollowing(it) && it.receiver?.streaming === false)
    .filter(it => served?.some(to => isSameIncarnation(to.incarnation, it.incarnation)) ?? true);
  const failed = probes.filter(
    it => !it.reached && isSameIncarnation(it.about, holder) && view.now - it.at < view.options.silentMs,
  );
  return receivers.length > 0 || failed.length > 0 || node?.isSilent === true;
}

/** Its image or its data is of no use: a person's matter, unless others hold the data. */
function unfit(view: Seen): Said | undefined {
  const report = freshReport(view);
  if (!report || isServing(report)) return undefined;
  const { incarnation, engine, volume } = report;
  const verdict = bootVerdict({ record: view.record, me: incarnation, volume });
  if (engine.problem === undefined && verdict.run === 'rw') return undefined;
  const message = `instance ${incarnation.instanceId}: ${engine.problem ?? verdict.message}`;
  if (!view.isHeld && areSuccessorsReady(view)) return revokeFor(view, 'EngineFailed', message);
  return wait(engine.problem === undefined ? 'HolderMayNotRun' : 'EngineUnfit', message);
}

/**
 * Promote when the members can answer at once, else start it again where it is, under its unbroken right. (Where members
 * only stand ready, one of them would recover no faster.)
 */
function crashed(view: Seen): Said | undefined {
  const report = freshReport(view);
  if (report?.engine.state !== 'crashed' || report.engine.role !== 'rw') return undefined;
  const message = `the engine of instance ${report.incarnation.instanceId} ended`;
  if (view.isHeld) return resume(report, message);
  if (canPromoteAtOnce(view)) return revokeFor(view, 'EngineFailed', message);
  const until = (view.memory.crashSeenAt ?? view.now) + view.options.quorumWaitMs;
  if (!mayBecomeReady(view) || view.now >= until) return resume(report, message);
  return wait('EngineCrashed', `${message}; waits for members that can take over`, { wakeAt: until });
}

const canPromoteAtOnce = (view: Seen): boolean =>
  (view.topology === 'local' || view.isStreaming) && areSuccessorsReady(view);

const mayBecomeReady = (view: Seen): boolean =>
  view.topology === 'local' ? hasQuorum(view) : view.isStreaming && alive(view).length > 1;

const resume = ({ incarnation: on }: HeardReport, message: string): Said => ({
  ...act({ do: 'resume', on }),
  ...wait('EngineCrashed', `${message}; it is started again in its place`),
});

/** It served, it runs, and has not answered SQL for long: as long as it recovered it was not up. */
function hung(view: Seen): Said | undefined {
  const report = freshReport(view);
  const { muteSince } = view.memory;
  if (!report || muteSince === undefined || !hasServed(view, report)) return undefined;
  const at = muteSince + HUNG_MS;
  if (view.now < at) return { wakeAt: at };
  const message = `the engine of instance ${report.incarnation.instanceId} runs and does not answer`;
  if (!view.isHeld && areSuccessorsReady(view)) return revokeFor(view, 'EngineFailed', message);
  return wait('EngineHung', `${message}; nobody can take over: ${missingSuccessors(view)}`);
}

/** A promotion may take long. A leader that did not see it end knows by the endpoint, or by the agent's own word. */
function hasServed({ memory, published }: Seen, { incarnation, task }: HeardReport): boolean {
  const isPublished = published !== undefined && isSameIncarnation(published, incarnation);
  return memory.servedSince !== undefined || isPublished || task?.state === 'done';
}
