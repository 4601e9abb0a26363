import type { Report } from '../agent-api/beat.ts';
import type { EngineLook } from '../engine/profile.ts';
import { describeProcess, describeStopped, type ProcessView, type RestView } from './describe.ts';
import { formatIncarnation } from '../ha/incarnation.ts';
import { holds, type RightState } from '../ha/right.ts';
import type { PreparedPosition, QuorumInForce } from './replication.ts';

/** Everything that a report is told from. */
export interface ReportView extends ProcessView, RestView {
  incarnation: string;
  bootedAt: Date;
  leaving: boolean;
  /** Why the image cannot run the engine. */
  problem: string | undefined;
  settingsHash: string;
  volume: Report['volume'];
  /** Undefined when no engine runs or SQL does not answer in time. */
  look: EngineLook | undefined;
  /** What the recovery of a starting engine does. */
  recovery: string | undefined;
  right: RightState;
  boottime: number;
  promiseAgeMs: number;
  prepared: PreparedPosition | undefined;
  inForce: QuorumInForce | undefined;
  needsRejoin: boolean;
  /** Asked for by a cluster manager that does not hear the RW. */
  probe: Report['probe'];
}

/** What is told on every stream alike; nonce and echo are each stream's own. */
export type ReportBody = Omit<Report, 'nonce' | 'echo'>;

export function describeReport(view: ReportView): ReportBody {
  const { store, look, task } = view;
  return {
    incarnation: view.incarnation,
    bootedAt: view.bootedAt.toISOString(),
    leaving: view.leaving,
    engine: describeEngine(view),
    plan: store.plan,
    receiver: describeReceiver(look),
    highest: store.highest,
    demotedEpoch: store.demotedEpoch,
    stopped: describeStopped(view),
    prepared: view.prepared && { ...view.prepared, promiseAgeMs: view.promiseAgeMs },
    promiseAgeMs: view.promiseAgeMs,
    needsRejoin: view.needsRejoin,
    isRewound: store.rewound,
    quorum: describeQuorum(view),
    senders: look?.senders?.map(({ name, flushedLsn, state }) => ({ incarnation: name, flushedLsn, state })),
    volume: view.volume,
    right: describeRight(view),
    settingsHash: view.settingsHash,
    task,
    probe: view.probe,
  };
}

function describeEngine(view: ReportView): Report['engine'] {
  const { look, recovery, supervised, now } = view;
  const { state, role, exit, message } = describeProcess(view);
  const sinceMs = now.getTime() - (supervised.startedAt ?? now.getTime());
  return {
    state,
    role,
    acceptsWrites: look?.acceptsWrites ?? false,
    timeline: look?.timeline,
    lsn: look?.lsn,
    startProgress: state === 'starting' ? { message: recovery ?? 'starting', sinceMs } : undefined,
    exit,
    message,
    problem: view.problem,
  };
}

const describeReceiver = (look: EngineLook | undefined): Report['receiver'] =>
  look?.streaming === undefined ? undefined : { streaming: look.streaming, upstreamAddress: look.upstreamAddress };

/** In force is only what was proven for the engine that runs now. */
function describeQuorum({ store, inForce }: ReportView): Report['quorum'] {
  if (!store.quorum) return undefined;
  const { generation, members, k } = store.quorum;
  const isInEffect = inForce?.generation === generation;
  return {
    generation,
    members: members.map(formatIncarnation),
    k,
    isInEffect,
    since: isInEffect ? inForce.since : undefined,
  };
}

function describeRight({ right: state, boottime }: ReportView): Report['right'] {
  if (!state.right || !holds(state, boottime)) return { kind: 'none' };
  const { kind, until } = state.right;
  return until === Infinity ? { kind } : { kind, remainingMs: until - boottime };
}
