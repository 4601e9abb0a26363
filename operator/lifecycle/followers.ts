import type { AgentClient } from '../agent-api/client.ts';
import { hashSettings } from '../agent-api/hash.ts';
import { memberSlot, type ApiUpstream, type Command } from '../agent-api/schemas.ts';
import type { AgentState, TaskState } from '../agent-api/state.ts';
import { commandStamp, type GroupRecord } from '../ha/record.ts';
import { formatIncarnation, parseIncarnation } from '../ha/incarnation.ts';
import { done, wait, type StepResult } from '../workflow/step.ts';
import { agentOf, followersOf, podOf, rwInstance, type ClusterContext } from './context.ts';
import { readRecord } from './gather/record.ts';
import { podSign } from './gather/pods.ts';
import { podsRunning } from './pods.ts';
import { rwHost, type InstancePlan } from './plan.ts';

/** Do members of this cluster stream from the RW? Members on the volume of stock PostgreSQL stand ready instead. */
export const hasStreaming = ({ plan }: ClusterContext): boolean =>
  plan.topology === 'local' || plan.engine === 'polardb';

/**
 * Brings all followers to their place, beside each other: slots on the RW first, then each member joins and streams.
 * A member that cannot get on does not hold up the others; the first reason of all is returned.
 */
export async function driveFollowers(context: ClusterContext): Promise<StepResult> {
  const waiting = followersOf(context.plan).filter(it => !context.memory.isSettled(it.id, followerSign(context, it)));
  if (waiting.length === 0) return done();
  const record = await readRecord(context);
  if (!record?.holder)
    return wait('NoWriter', 'followers wait for the RW', { retryInMs: context.memory.pause('followers', 'NoWriter') });
  await ensureSlots(context, record);
  const results = await Promise.allSettled(waiting.map(instance => driveFollower(context, instance, record)));
  const failed = results.find(result => result.status === 'rejected');
  if (failed) throw failed.reason;
  return soonest(results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : [])));
}

/** One result for several members: done when all are, else the first reason and the earliest look. */
function soonest(results: readonly StepResult[]): StepResult {
  const waits = results.filter(result => result.kind === 'wait');
  const [first] = waits;
  if (!first) return done();
  const progress = waits
    .map(it => it.progress ?? '')
    .join(' ')
    .trim();
  const retryInMs = Math.min(...waits.map(it => it.retryInMs ?? 5_000));
  return { ...first, retryInMs, ...(progress && { progress }) };
}

/** Signs by which a follower that was once found in order still is. */
function followerSign(context: ClusterContext, instance: InstancePlan): string {
  const { children, plan } = context;
  const rw = podOf(children, rwInstance(plan));
  const own = podSign(podOf(children, instance));
  return [own, rw?.metadata.uid, rw?.status?.podIP, hashSettings(plan.settings)].join(' ');
}

/** A slot for every member before any of them needs it; slots of members that are gone are dropped: they hold WAL back. */
async function ensureSlots(context: ClusterContext, record: GroupRecord): Promise<void> {
  if (!hasStreaming(context) || !record.holder) return;
  const slots = followersOf(context.plan).map(instance => memberSlot(instance.id));
  const sign = [record.epoch, ...slots].join(' ');
  if (context.memory.isSettled('slots', sign)) return;
  const agent = agentOf(context, rwInstance(context.plan));
  if (!agent) throw new Error('the pod of the RW has no address');
  const requestId = `slots-${context.tools.now().getTime()}`;
  await agent.slots({
    command: { requestId, incarnation: formatIncarnation(record.holder), ...commandStamp(record) },
    slots,
  });
  context.memory.settle('slots', sign);
}

async function driveFollower(
  context: ClusterContext,
  instance: InstancePlan,
  record: GroupRecord,
): Promise<StepResult> {
  // What blocks a pod is shown by the watch, which wakes us: no clock is needed.
  const blocked = podsRunning(context, [instance]);
  if (blocked.kind === 'wait') return blocked;
  const answer = await askAgent(context, instance);
  if (!answer) {
    const message = `the agent of ${instance.id} does not answer`;
    return later(context, instance, { reason: 'AgentStarting', message });
  }
  const result = await nextFor(context, { instance, ...answer, record });
  if (result.kind === 'done') context.memory.settle(instance.id, followerSign(context, instance));
  return result;
}

/** The state that the agent of this very pod tells; an address may still be that of a pod that went. */
async function askAgent(
  context: ClusterContext,
  instance: InstancePlan,
): Promise<Pick<Follower, 'agent' | 'state'> | undefined> {
  const agent = agentOf(context, instance);
  const state = await agent?.state().catch(() => undefined);
  const uid = podOf(context.children, instance)?.metadata.uid;
  return agent && state && parseIncarnation(state.incarnation)?.podUid === uid ? { agent, state } : undefined;
}

interface Follower {
  instance: InstancePlan;
  agent: AgentClient;
  state: AgentState;
  record: GroupRecord;
}

/** What this member needs next. */
async function nextFor(context: ClusterContext, follower: Follower): Promise<StepResult> {
  const { instance, state } = follower;
  if (state.volume.state === 'foreign') {
    const message = `the volume of ${instance.id} holds data of another cluster; it is never overwritten: remove the claim or the data`;
    return later(context, instance, { reason: 'VolumeForeign', message });
  }
  if (hasStreaming(context) && (state.volume.state === 'blank' || state.volume.state === 'partial')) {
    return task(context, follower, 'join');
  }
  if (!isAsPlanned(context, follower)) return task(context, follower, 'start');
  return isInPlace(context, state)
    ? done()
    : later(context, instance, { reason: 'CatchingUp', message: `${instance.id} does not stream from the RW yet` });
}

function isAsPlanned(context: ClusterContext, { instance, state }: Follower): boolean {
  const wanted = upstreamOf(context, instance);
  const { plan, process, settingsHash } = state;
  const isSame = wanted?.address === plan.upstream?.address && wanted?.port === plan.upstream?.port;
  const runs = ['starting', 'running', 'held', 'crashed'].includes(process.state);
  return plan.role === instance.role && isSame && runs && settingsHash === hashSettings(context.plan.settings);
}

const isInPlace = (context: ClusterContext, { process, facts }: AgentState): boolean =>
  hasStreaming(context) ? facts?.streaming === true : process.state === 'held';

function upstreamOf(context: ClusterContext, instance: InstancePlan): ApiUpstream | undefined {
  if (!hasStreaming(context)) return undefined;
  const rw = rwInstance(context.plan);
  const address = podOf(context.children, rw)?.status?.podIP;
  if (address === undefined) throw new Error('the pod of the RW has no address');
  return { host: rwHost(context.plan), address, port: rw.ports.engine, slot: memberSlot(instance.id) };
}

/** A long call of the agent: sent again and again under one id, which tells how it stands. */
async function task(context: ClusterContext, follower: Follower, kind: 'join' | 'start'): Promise<StepResult> {
  const { instance, state, record } = follower;
  const upstream = upstreamOf(context, instance);
  const { epoch, term, generation } = record;
  const order = `${epoch}.${term}.${generation}`;
  // All that the body says: one id never asks for two things.
  const call = [kind, state.incarnation, order, upstream?.address ?? 'none', hashSettings(context.plan.settings)].join(
    ' ',
  );
  const requestId = `${call} ${context.memory.tryOf(call)}`;
  const command: Command = { requestId, incarnation: state.incarnation, ...commandStamp(record) };
  const answer = await send(context, follower, { command, upstream, kind });
  if (answer.state === 'failed') {
    context.memory.ended(call);
    const { code = 'Failed', message = 'no reason given' } = answer.error ?? {};
    throw new Error(`instance ${instance.id}: ${kind} failed: ${code}: ${message}`);
  }
  const reason = kind === 'join' ? 'CopyingData' : 'StartingFollower';
  return {
    ...later(context, instance, { reason, message: `instance ${instance.id}: ${kind}` }),
    ...progressOf(answer),
  };
}

function send(
  context: ClusterContext,
  { agent, instance }: Follower,
  { command, upstream, kind }: { command: Command; upstream: ApiUpstream | undefined; kind: 'join' | 'start' },
): Promise<TaskState> {
  if (kind === 'join' && upstream) return agent.install({ command, task: { kind: 'join', upstream } });
  const role = instance.role === 'standby' ? 'standby' : 'ro';
  return agent.start({ command, role, ...(upstream && { upstream }), settings: { ...context.plan.settings } });
}

/** In tenths: each change is a write of the journal. */
function progressOf({ done: copied, total }: TaskState): { progress?: string } {
  if (copied === undefined || !total) return {};
  return { progress: `${Math.floor((10 * copied) / total) * 10} %` };
}

function later(
  context: ClusterContext,
  instance: InstancePlan,
  { reason, message }: { reason: string; message: string },
): StepResult & { kind: 'wait' } {
  return wait(reason, message, { retryInMs: context.memory.pause(instance.id, reason) });
}
