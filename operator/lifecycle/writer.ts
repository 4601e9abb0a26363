import { AgentError } from '../agent-api/errors.ts';
import type { TaskState } from '../agent-api/state.ts';
import { decide, type Action } from '../ha/decide.ts';
import { formatIncarnation, type Incarnation } from '../ha/incarnation.ts';
import { formatRecord, type LeaseObject } from '../ha/lease.ts';
import { commandStamp, type GroupRecord } from '../ha/record.ts';
import { RESOURCES } from '../kube/resources.ts';
import { recordName, rwService } from '../model/names.ts';
import { done, wait, type StepResult } from '../workflow/step.ts';
import { childMeta } from './builders/meta.ts';
import { buildRwEndpoints } from './builders/services.ts';
import { agentOf, podOf, rwInstance, type ClusterContext } from './context.ts';
import { isLeaving, obstacle } from './gather/pods.ts';
import { gatherGroup, type GatheredGroup } from './gather/group.ts';
import { applyChild } from './objects.ts';
import type { InstancePlan } from './plan.ts';

/** Actions in one go; each reads everything again. More than this in a row means that they undo each other. */
const MOST_ACTIONS = 12;

/**
 * Brings the group to a verified, published RW (or, `stopped`, to a proven stop), one decided action after the other.
 * All safety is in `ha`: this only reads, asks `decide`, and does what it says.
 */
export async function driveWriter(context: ClusterContext, wanted: 'running' | 'stopped'): Promise<StepResult> {
  // Deleted before it had ids: nothing was ever made.
  if (context.plan.instances.length === 0) return done();
  for (let actions = 0; actions < MOST_ACTIONS; actions++) {
    const group = await gatherGroup(context, wanted);
    const { policy, action } = decide(group.view);
    if (action.do === 'nothing') return done();
    if (action.do === 'wait') {
      return wait(action.reason, explain(context, action.message), lookAgain(context, action.reason));
    }
    context.tools.log.info('writer decision', { policy, action: action.do });
    const pending = await act(context, group, action);
    if (pending) return pending;
  }
  throw new Error(`no stable state of the writer after ${MOST_ACTIONS} actions`);
}

/** Says what keeps the pod of the RW from running: that is what a person can mend. */
function explain({ children, plan }: ClusterContext, message: string): string {
  const pod = podOf(children, rwInstance(plan));
  const blocked = pod && !isLeaving(pod) ? obstacle(pod)?.message : undefined;
  const why = blocked ?? (pod ? undefined : plan.unresolved);
  return why ? `${message}: ${why}` : message;
}

/** A pod that does not run is no matter of time: the watch of pods wakes us. */
function lookAgain(context: ClusterContext, reason: string): { retryInMs?: number } {
  const pod = podOf(context.children, rwInstance(context.plan));
  const isDown = reason === 'InstanceDown' && (!pod || obstacle(pod) !== undefined);
  return isDown ? {} : { retryInMs: context.memory.pause('writer', reason) };
}

type Effect = Exclude<Action, { do: 'nothing' } | { do: 'wait' }>;

async function act(context: ClusterContext, group: GatheredGroup, action: Effect): Promise<StepResult | undefined> {
  switch (action.do) {
    case 'create':
      return createLease(context, action.record);
    case 'revoke':
    case 'recordFence':
    case 'grant':
      return replaceLease(context, group, action.record);
    case 'publish':
      return publish(context, action.on);
    case 'withdraw':
      return withdraw(context);
    case 'initialize':
    case 'demote':
    case 'promote':
      return command(context, group, { do: action.do, on: action.on });
  }
}

async function createLease(context: ClusterContext, record: GroupRecord): Promise<undefined> {
  const { plan, tools } = context;
  const base = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: childMeta(plan, recordName(plan.name)),
    spec: {},
  } as unknown as LeaseObject;
  await tools.client.create(RESOURCES.leases, formatRecord(record, base));
}

/** Checked against the version that was read: a decision about another record is refused by the API server. */
async function replaceLease(
  context: ClusterContext,
  { lease }: GatheredGroup,
  record: GroupRecord,
): Promise<undefined> {
  if (!lease) throw new Error('a record to replace was read before');
  await context.tools.client.replace(RESOURCES.leases, formatRecord(record, lease));
}

async function publish(context: ClusterContext, holder: Incarnation): Promise<undefined> {
  const { plan, children } = context;
  const instance = instanceOf(context, holder);
  const pod = podOf(children, instance);
  if (!pod?.status?.podIP || pod.metadata.uid !== holder.podUid) throw new Error(`pod of ${instance.id} has changed`);
  const at = {
    address: pod.status.podIP,
    port: instance.ports.engine,
    nodeName: pod.spec?.nodeName ?? '',
    podName: pod.metadata.name,
    podUid: holder.podUid,
    incarnation: formatIncarnation(holder),
  };
  await applyEndpoints(context, at);
  const message = `${rwService(plan.name)} leads to instance ${instance.id}`;
  context.tools.events.record(context.object, { type: 'Normal', reason: 'WriterPublished', message });
  context.tools.log.info('published the RW', { instance: instance.id, service: rwService(plan.name) });
}

async function withdraw(context: ClusterContext): Promise<undefined> {
  await applyEndpoints(context, undefined);
}

/** What was applied is seen at once by the next look of this very run, whose cache would still show the old one. */
async function applyEndpoints(context: ClusterContext, at: Parameters<typeof buildRwEndpoints>[1]): Promise<void> {
  const former = context.children.endpointSlices.find(it => it.metadata.name === rwService(context.plan.name));
  const applied = await applyChild(context, RESOURCES.endpointSlices, buildRwEndpoints(context.plan, at, former));
  const others = context.children.endpointSlices.filter(it => it.metadata.name !== applied.metadata.name);
  context.children = { ...context.children, endpointSlices: [...others, applied] };
}

async function command(
  context: ClusterContext,
  group: GatheredGroup,
  action: Order['action'],
): Promise<StepResult | undefined> {
  const record = group.view.recorded?.record;
  if (!record) throw new Error('a command needs a record');
  const instance = instanceOf(context, action.on);
  try {
    return outcome(context, await send(context, { instance, record, action }), instance);
  } catch (error) {
    if (!(error instanceof AgentError) || !error.retryable) throw error;
    // It answered a moment ago: it is on its way out, or busy. What is true then is read again.
    const reason = error.code;
    return wait(reason, `instance ${instance.id}: ${error.message}`, {
      retryInMs: context.memory.pause('writer', reason),
    });
  }
}

interface Order {
  instance: InstancePlan;
  record: GroupRecord;
  action: { do: 'initialize' | 'promote' | 'demote'; on: Incarnation };
}

async function send(context: ClusterContext, { instance, record, action }: Order): Promise<TaskState> {
  const agent = agentOf(context, instance);
  if (!agent) throw new Error(`pod ${instance.podName} has lost its address`);
  const { settings } = context.plan;
  const id = `${action.do}-${record.epoch}-${action.on.nonce}`;
  const requestId = `${id}-${context.memory.tryOf(id)}`;
  const order = { requestId, incarnation: formatIncarnation(action.on), ...commandStamp(record) };
  if (action.do === 'initialize') return agent.install({ command: order, task: { kind: 'initialize', settings } });
  if (action.do === 'promote') return agent.promote({ command: order, settings });
  return agent.demote({ command: order });
}

/**
 * A task that runs is waited for with its progress; one that failed is an error. Whatever its end, the same decision
 * taken again needs a new id: under the old one the agent would only tell how the ended call stands.
 */
function outcome(context: ClusterContext, task: TaskState, instance: InstancePlan): StepResult | undefined {
  if (task.state !== 'running') context.memory.ended(task.id.replace(/-\d+$/, ''));
  if (task.state === 'done') return undefined;
  if (task.state === 'failed') {
    const { code = 'Failed', message = 'no reason given' } = task.error ?? {};
    throw new Error(`instance ${instance.id}: ${task.kind} failed: ${code}: ${message}`);
  }
  return wait('EngineWorking', `instance ${instance.id}: ${task.kind}, ${task.phase}`, {
    retryInMs: context.memory.pause('writer', task.id),
  });
}

function instanceOf({ plan }: ClusterContext, { instanceId }: Incarnation): InstancePlan {
  const found = plan.instances.find(it => it.id === instanceId);
  if (!found) throw new Error(`instance ${instanceId} is not part of cluster ${plan.name}`);
  return found;
}
