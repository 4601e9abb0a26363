import type { Report } from '../agent-api/beat.ts';
import type { HeardReport } from '../ha/evidence.ts';
import { isSameIncarnation, parseIncarnation, type Incarnation } from '../ha/incarnation.ts';
import { parseLsn, type LogPosition } from '../ha/lsn.ts';
import { isLeaving } from '../kinds/pods.ts';
import type { Pod } from '../kube/resources.ts';
import { runningContainer } from './pods.ts';

/** A report as it was heard. */
export interface Heard {
  incarnation: Incarnation;
  report: Report;
  /** ms of our monotonic clock. */
  at: number;
}

/** What a report is joined with. */
export interface ReportContext {
  /** The pod that the report's stream leads to, as the watch shows it now; undefined when it is gone. */
  pod: Pod | undefined;
  /** Whose engine listens there; on the network of a host several share an address. */
  at: (address: string, port: number) => Incarnation | undefined;
}

/** What an agent said, in the words of the decisions. */
export function heardReport({ incarnation, report, at: heardAt }: Heard, context: ReportContext): HeardReport {
  const { volume, highest, stopped, demotedEpoch, needsRejoin, isRewound, settingsHash } = report;
  return given<HeardReport>({
    incarnation,
    heardAt,
    askedAtEpoch: report.echo?.epoch ?? 0,
    ...placeOf(report, incarnation, context),
    volume: given({ ...volume, holder: parseIncarnation(volume.holder ?? '') }),
    highestEpoch: highest?.epoch,
    highest,
    stopped,
    demotedEpoch,
    needsRejoin,
    isRewound,
    settingsHash,
    ...engineOf(report),
    ...followingOf(report, context),
    ...quorumOf(report),
  });
}

/** Of its pod only while that is the very pod it runs in. */
function placeOf(
  { leaving }: Report,
  { podUid }: Incarnation,
  { pod }: ReportContext,
): Pick<HeardReport, 'leaving' | 'container'> {
  if (pod?.metadata.uid !== podUid) return { leaving: true };
  return { leaving: leaving || isLeaving(pod), container: runningContainer(pod) };
}

function engineOf({ engine, task }: Report): Pick<HeardReport, 'engine' | 'position' | 'task'> {
  const { state, role, acceptsWrites, problem, timeline, lsn } = engine;
  return {
    engine: given({ state, role, acceptsWrites, problem }),
    position: positionOf(timeline, lsn),
    task: task && given({ kind: task.kind, state: task.state, phase: task.phase, error: task.error?.code }),
  };
}

function followingOf(report: Report, { at }: ReportContext): Pick<HeardReport, 'plan' | 'receiver' | 'prepared'> {
  const { plan, prepared, promiseAgeMs } = report;
  const upstream = plan.upstream && at(plan.upstream.address, plan.upstream.port);
  return {
    plan: given({ role: plan.role, upstream }),
    receiver: receiverOf(report, upstream),
    // The age of now: what the answer to `prepare` carried was its age then.
    prepared: prepared && { epoch: prepared.epoch, promiseAgeMs, ...positionOf(prepared.timeline, prepared.lsn) },
  };
}

/** Of an RW: whom commits wait for, and whom it serves. */
function quorumOf({ quorum, senders }: Report): Pick<HeardReport, 'quorum' | 'senders'> {
  return {
    quorum:
      quorum && given({ ...quorum, members: incarnationsOf(quorum.members), since: parseLsn(quorum.since ?? '') }),
    senders: senders?.flatMap(({ incarnation: name, flushedLsn, state }) =>
      incarnationsOf([name]).map(it => given({ incarnation: it, state, flushed: parseLsn(flushedLsn ?? '') })),
    ),
  };
}

/**
 * All of a report whose change calls for a decision, as one text: not its positions, which move with every write, nor
 * what only counts up or down.
 */
export function reportSign(report: Report): string {
  const { engine, senders, right, prepared, task } = report;
  const position = prepared && [prepared.epoch, prepared.timeline, prepared.lsn];
  const parts = {
    ...report,
    nonce: undefined,
    promiseAgeMs: undefined,
    engine: { ...engine, lsn: undefined, startProgress: undefined },
    senders: senders?.map(({ incarnation, state }) => [incarnation, state]),
    right: right.kind,
    prepared: position,
    task: task && { ...task, done: undefined, total: undefined },
  };
  return JSON.stringify(parts);
}

function receiverOf({ receiver, plan }: Report, upstream: Incarnation | undefined): HeardReport['receiver'] {
  if (!receiver) return undefined;
  const isPlanned = upstream && receiver.upstreamAddress === plan.upstream?.address;
  return { streaming: receiver.streaming, ...(isPlanned && { from: upstream }) };
}

function positionOf(timeline: number | undefined, text: string | undefined): LogPosition | undefined {
  const lsn = parseLsn(text ?? '');
  return timeline === undefined || lsn === undefined ? undefined : { timeline, lsn };
}

const incarnationsOf = (names: readonly string[]): Incarnation[] =>
  names.flatMap(name => {
    const found = parseIncarnation(name);
    return found ? [found] : [];
  });

export const isOf = (incarnation: Incarnation, other: Incarnation | undefined): boolean =>
  other !== undefined && isSameIncarnation(incarnation, other);

/** Without fields that are undefined: they are absent for whoever reads them. */
function given<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
