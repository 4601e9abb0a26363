import type { Report } from '../agent-api/beat.ts';
import type { HeardReport } from '../ha/evidence.ts';
import { isSameIncarnation, parseIncarnation, type Incarnation } from '../ha/incarnation.ts';
import { parseLsn, type LogPosition } from '../ha/lsn.ts';
import type { Pod } from '../kube/resources.ts';
import { isLeaving, runningContainer } from './pods.ts';

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
  const { engine, volume, highest, stopped, prepared, quorum, senders, task, plan } = report;
  const pod = context.pod?.metadata.uid === incarnation.podUid ? context.pod : undefined;
  const container = pod && runningContainer(pod);
  const upstream = plan.upstream && context.at(plan.upstream.address, plan.upstream.port);
  return given<HeardReport>({
    incarnation,
    heardAt,
    askedAtEpoch: report.echo?.epoch ?? 0,
    leaving: report.leaving || !pod || isLeaving(pod),
    container,
    volume,
    highestEpoch: highest?.epoch,
    highest,
    engine: given({
      state: engine.state,
      role: engine.role,
      acceptsWrites: engine.acceptsWrites,
      problem: engine.problem,
    }),
    stopped,
    position: positionOf(engine.timeline, engine.lsn),
    receiver: receiverOf(report, upstream),
    demotedEpoch: report.demotedEpoch,
    prepared: prepared && {
      epoch: prepared.epoch,
      // Of now: what the answer to `prepare` carried was its age then.
      promiseAgeMs: report.promiseAgeMs,
      ...positionOf(prepared.timeline, prepared.lsn),
    },
    quorum:
      quorum && given({ ...quorum, members: incarnationsOf(quorum.members), since: parseLsn(quorum.since ?? '') }),
    needsRejoin: report.needsRejoin,
    senders: senders?.flatMap(({ incarnation: name, flushedLsn, state }) =>
      incarnationsOf([name]).map(it => ({ incarnation: it, state, ...lsnOf(flushedLsn) })),
    ),
    settingsHash: report.settingsHash,
    plan: given({ role: plan.role, upstream }),
    task: task && given({ kind: task.kind, state: task.state, phase: task.phase, error: task.error?.code }),
  });
}

/**
 * All of a report whose change calls for a decision, as one text: not its positions, which move with every write, nor
 * what only counts down.
 */
export function reportSign(report: Report): string {
  const { engine, senders, right, nonce: _nonce, promiseAgeMs: _age, prepared, task, ...rest } = report;
  const { lsn: _lsn, startProgress: _progress, ...engineRest } = engine;
  const { done: _done, total: _total, ...taskRest } = task ?? {};
  const streaming = senders?.map(({ incarnation, state }) => [incarnation, state]);
  const position = prepared && [prepared.epoch, prepared.timeline, prepared.lsn];
  return JSON.stringify([rest, engineRest, streaming, right.kind, position, taskRest]);
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

function lsnOf(text: string | undefined): { flushed?: bigint } {
  const flushed = parseLsn(text ?? '');
  return flushed === undefined ? {} : { flushed };
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
