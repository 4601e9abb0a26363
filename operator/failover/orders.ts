import type { MemberClient } from '../agent-api/client.ts';
import type { PromoteRequest } from '../agent-api/requests.ts';
import { memberSlot, type ApiUpstream, type Command as AgentCommand } from '../agent-api/schemas.ts';
import type { TaskState } from '../agent-api/state.ts';
import { CHECKPOINT_GOES_ON, commandKey, type Command } from '../ha/action.ts';
import { formatIncarnation, type Incarnation } from '../ha/incarnation.ts';
import { commandStamp, type GroupRecord } from '../ha/record.ts';
import { CommandFailure, type Order } from './commander.ts';
import type { GroupTarget } from './target.ts';
import { rwHost } from '../model/names.ts';

/** What orders need to know of the group. */
export interface OrderContext {
  target: GroupTarget;
  /** On whose strength the orders go out. */
  record: GroupRecord;
  /** @throws Error when the pod of this incarnation has no address */
  client: (on: Incarnation) => MemberClient;
  /** Address of an RW's engine. @throws Error when its pod has none */
  address: (of: Incarnation) => string;
}

/** How long an agent may hold back the answer of a long call for its end, ms. */
const WAIT_MS = 10_000;

/** A decided command as a call of its agent. */
export function orderOf(command: Command, context: OrderContext): Order {
  const { record, target } = context;
  return {
    key: commandKey(command, record, target.settingsHash),
    kind: command.do === 'follow' ? command.how : command.do,
    on: command.on,
    stamp: commandStamp(record),
    send: (stamped, signal) => send({ command, stamped, signal }, context),
  };
}

interface Sending {
  command: Command;
  /** What every call carries. */
  stamped: AgentCommand;
  signal: AbortSignal;
}

async function send(sending: Sending, context: OrderContext): Promise<TaskState | undefined> {
  const { command, stamped, signal } = sending;
  const client = context.client(command.on);
  const settings = { ...context.target.settings };
  const long = { command: stamped, waitMs: WAIT_MS };
  switch (command.do) {
    case 'initialize':
      return client.install({ ...long, task: { kind: 'initialize', settings } }, { signal });
    case 'promote':
      return client.promote({ ...long, settings, ...slotsBeside(command.on, context.target) }, { signal });
    case 'demote':
      return client.demote({ ...long, mode: command.mode }, { signal });
    case 'resume':
      return client.resume(long, { signal });
    case 'restart':
      return client.restart({ ...long, mode: 'fast' }, { signal });
    case 'follow':
      return follow({ ...sending, command }, context);
    default:
      return sendShort({ ...sending, command }, client);
  }
}

/** On one volume they come with the members (ha/followers.ts). */
const slotsBeside = (on: Incarnation, { topology, instances }: GroupTarget): Pick<PromoteRequest, 'slots'> =>
  topology === 'local' ? { slots: instances.flatMap(({ id }) => (id === on.instanceId ? [] : [memberSlot(id)])) } : {};

type Short = Exclude<Command, { do: 'demote' | 'follow' } | { do: 'initialize' | 'promote' | 'resume' | 'restart' }>;

/** Calls that answer with their result: done when they answer. */
async function sendShort(
  { command, stamped, signal }: Sending & { command: Short },
  client: MemberClient,
): Promise<undefined> {
  switch (command.do) {
    case 'prepare':
      await client.prepare({ command: stamped }, { signal });
      return;
    case 'checkpoint':
      await checkpoint(client, stamped, signal);
      return;
    case 'quorum': {
      const { generation, k, members } = command;
      await client.quorum({ command: stamped, generation, k, members: members.map(formatIncarnation) }, { signal });
      return;
    }
    case 'slots':
      await client.slots({ command: stamped, slots: command.instances.map(memberSlot) }, { signal });
      return;
    case 'verify': {
      const { isWritten, sqlState, message } = await client.verify({ command: stamped }, { signal });
      if (!isWritten) throw new CommandFailure(sqlState ?? 'Unreachable', message ?? 'the engine took no write');
    }
  }
}

async function checkpoint(client: MemberClient, command: AgentCommand, signal: AbortSignal): Promise<void> {
  const { isDone } = await client.checkpoint({ command, waitMs: WAIT_MS }, { signal });
  if (!isDone) throw new CommandFailure(CHECKPOINT_GOES_ON, `it goes on after ${WAIT_MS} ms`);
}

function follow(
  { command, stamped, signal }: Sending & { command: Extract<Command, { do: 'follow' }> },
  context: OrderContext,
): Promise<TaskState> {
  const client = context.client(command.on);
  const upstream = command.upstream && upstreamOf(command.on, command.upstream, context);
  const long = { command: stamped, waitMs: WAIT_MS };
  if (command.how === 'start') {
    const settings = { ...context.target.settings };
    return client.start({ ...long, role: command.role, ...(upstream && { upstream }), settings }, { signal });
  }
  if (!upstream) throw new Error(`instance ${command.on.instanceId} cannot ${command.how} without an RW`);
  return client.install({ ...long, task: { kind: command.how, upstream } }, { signal });
}

function upstreamOf(of: Incarnation, rw: Incarnation, { target, address }: OrderContext): ApiUpstream {
  const port = target.instances.find(it => it.id === rw.instanceId)?.ports.engine;
  if (port === undefined) throw new Error(`instance ${rw.instanceId} is not part of cluster ${target.name}`);
  return { host: rwHost(target), address: address(rw), port, slot: memberSlot(of.instanceId) };
}
