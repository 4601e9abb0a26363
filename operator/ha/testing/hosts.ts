import { bootVerdict } from '../boot.ts';
import { acceptCommand, type CommandStamp } from '../command.ts';
import type { TerminatedContainer } from '../evidence.ts';
import { formatIncarnation, isSameIncarnation, type Incarnation } from '../incarnation.ts';
import type { GroupRecord } from '../record.ts';
import { holds, noRight, onRecordRead, onRevoked, type RightState } from '../right.ts';
import { inc, UID } from './samples.ts';

/** One container with its agent, and the engine beside it. */
export interface Container {
  id: string;
  startedAt: string;
  incarnation: Incarnation;
  engine: 'stopped' | 'rw';
  right: RightState;
  highest?: CommandStamp;
  stopped?: { epoch: number; at: string };
  /** A record that was read and is not handled yet. */
  answer?: GroupRecord;
}

/** A pod as its kubelet knows it. */
export interface Run {
  uid: string;
  leaving: boolean;
  container?: Container;
  ended?: TerminatedContainer;
}

export interface Node {
  name: string;
  linked: boolean;
  on: boolean;
  leaseVersion: number;
  tainted: boolean;
  runs: Run[];
}

export interface Command {
  what: 'initialize' | 'demote' | 'promote';
  to: Incarnation;
  stamp: CommandStamp;
}

export interface Volume {
  state: 'blank' | 'initialized';
  epoch: number;
}

/** Who an agent takes itself for; the mutation "by instance" makes it blind to incarnations. */
export type Identity = (me: Incarnation, named: Incarnation | undefined) => Incarnation;

/** What an agent finds around itself. */
export interface Surroundings {
  volume: Volume;
  identity: Identity;
  /** What it remembers of its right between reads. */
  remembers: (right: RightState) => RightState;
}

export const newNode = (name: string): Node => ({
  name,
  linked: true,
  on: true,
  leaseVersion: 0,
  tainted: false,
  runs: [],
});

export function startContainer(uid: string, serial: number, startedAt: string): Container {
  const incarnation = inc('1', uid, serial.toString(16));
  return { id: `c${serial}`, startedAt, incarnation, engine: 'stopped', right: noRight };
}

/** PID 1 ends and takes all of the container with it; what the kubelet will find is its last words. */
export function endContainer(run: Run, finishedAt: string): void {
  if (!run.container) return;
  const { id, startedAt, incarnation } = run.container;
  run.ended = { containerId: id, startedAt, finishedAt, message: formatIncarnation(incarnation) };
  run.container = undefined;
}

/** The agent takes a command: only one that names it, and none older than what it took before. */
export function obey(container: Container, command: Command, world: Surroundings): boolean {
  const me = world.identity(container.incarnation, command.to);
  const answer = acceptCommand(container.highest, command.stamp);
  if (!isSameIncarnation(me, command.to) || !answer.accepted) return false;
  container.highest = answer.highest;
  if (command.what === 'demote') {
    container.right = onRevoked(container.right, command.stamp.epoch);
    stop(container, command.stamp.epoch, command.to.nonce);
  }
  if (command.what === 'initialize') Object.assign(world.volume, { state: 'initialized', epoch: command.stamp.epoch });
  return true;
}

/**
 * The agent handles a direct read of the record, however late. It starts an RW whenever rules and right allow, which is
 * bolder than waiting for a command.
 */
export function handleRead(container: Container, at: string, world: Surroundings): void {
  const { answer: record } = container;
  if (!record) return;
  container.answer = undefined;
  const me = world.identity(container.incarnation, record.holder);
  container.right = onRecordRead(
    world.remembers(container.right),
    { record, sentAt: 0 },
    { me, clusterUid: UID, ttlMs: 3000 },
  );
  if (!holds(container.right, 0)) {
    stop(container, container.right.epoch, at);
    return;
  }
  const { volume } = world;
  if (bootVerdict({ record, me, volume: { ...volume, clusterUid: UID } }).run !== 'rw') return;
  container.engine = 'rw';
  container.stopped = undefined;
  volume.epoch = Math.max(volume.epoch, record.epoch);
}

function stop(container: Container, epoch: number, at: string): void {
  container.engine = 'stopped';
  container.stopped = { epoch, at };
}
