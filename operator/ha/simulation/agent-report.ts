import type { CommandStamp } from '../command.ts';
import type { HeardReport, QuorumReport, Sender } from '../evidence.ts';
import { parseIncarnation } from '../incarnation.ts';
import type { AgentBody } from './agent-body.ts';
import { SETTINGS } from './commander.ts';
import { lsnOf, timelineOf } from './data.ts';
import type { EngineRun } from './engine-run.ts';

/** What an agent says of itself; the hearer adds when it heard it and what the pod's status shows. */
export type AgentReport = Omit<HeardReport, 'heardAt' | 'askedAtEpoch' | 'container'> & {
  nonce: string;
  /** Of the newest beat of that cluster manager that was taken in before. */
  echo?: CommandStamp;
};

/** Looks at everything once. */
export function lookAt(agent: AgentBody): Omit<AgentReport, 'nonce' | 'echo'> {
  const { engine, data, persisted, prepared } = agent;
  const { state, clusterUid, epoch, holder } = data;
  const { member, demotedEpoch, plan } = persisted;
  const promiseAgeMs = agent.world.rules.promiseAge(agent.promise, agent.now);
  return {
    incarnation: agent.incarnation,
    leaving: agent.leaving,
    volume: { state, clusterUid, epoch, holder, timeline: timelineOf(data) },
    highestEpoch: member.highest?.epoch,
    highest: member.highest,
    demotedEpoch,
    engine: {
      state: engine.state,
      role: plan.role === 'stopped' ? undefined : plan.role,
      acceptsWrites: engine.isWriting && !engine.isFrozen,
    },
    stopped: agent.stopped,
    ...(engine.state === 'running' && engine.run?.hasPostmaster && lookAtRun(engine.run)),
    needsRejoin: engine.run?.isDiverged,
    prepared: prepared && { ...prepared, promiseAgeMs },
    quorum: quorumOf(agent),
    settingsHash: SETTINGS,
    task: agent.task,
    plan: { role: plan.role, upstream: parseIncarnation(plan.upstream ?? '') },
  };
}

function lookAtRun(run: EngineRun): Partial<AgentReport> {
  const position = { timeline: timelineOf(run.data), lsn: BigInt(lsnOf(run.data)) };
  if (run.role === 'rw') return { position, senders: run.senders.flatMap(toSender) };
  const from = parseIncarnation(run.upstreamName ?? '');
  return { position, receiver: { streaming: run.isStreaming, from } };
}

function quorumOf({ persisted, engine, inEffect }: AgentBody): QuorumReport | undefined {
  const { quorum } = persisted.member;
  if (!quorum) return undefined;
  const { generation, members, k } = quorum;
  const isInEffect = engine.isWriting && inEffect?.generation === generation;
  return { generation, members, k, isInEffect, since: isInEffect ? inEffect.since : undefined };
}

function toSender({ name, flushedLsn }: { name: string; flushedLsn: number }): Sender[] {
  const incarnation = parseIncarnation(name);
  return incarnation ? [{ incarnation, flushed: BigInt(flushedLsn), state: 'streaming' }] : [];
}
