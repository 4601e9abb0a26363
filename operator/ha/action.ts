import { formatIncarnation, type Incarnation } from './incarnation.ts';
import { commandStamp, type GroupRecord } from './record.ts';
import type { WaitReason } from './waits.ts';

/** What to do now. At most one of the actions writes the record; commands go to different members beside each other. */
export interface Decision {
  /** Name of the policy that decided about the RW, for log and status. */
  policy: string;
  actions: readonly Action[];
  /** What is missing for a writer, or for what was asked; shown to people. */
  wait?: { reason: WaitReason; message: string };
  /** Moment of the monotonic clock at which to decide again though nothing happened, ms. */
  wakeAt?: number;
  /** Word about the request in the view. */
  request?: RequestVerdict;
}

export type Action = RecordWrite | Command | { do: 'publish'; on: Incarnation } | { do: 'withdraw' };

/** One update of the record, checked against the version that the view holds; `create` makes it. */
export interface RecordWrite {
  do: 'create' | 'stamp' | 'rebuild' | 'revoke' | 'recordFence' | 'grant' | 'setMembers';
  record: GroupRecord;
  /** Why, in one sentence: for log, Event and history. */
  message: string;
  /** Of a forced grant: what may be lost by it. */
  loss?: string;
}

export type Command =
  | { do: 'initialize' | 'prepare' | 'promote' | 'resume' | 'checkpoint' | 'verify'; on: Incarnation }
  | { do: 'demote'; on: Incarnation; mode: 'fast' | 'kill' }
  | { do: 'quorum'; on: Incarnation; generation: number; members: readonly Incarnation[]; k: number }
  /** Of a follower that gets nothing. `since` tells one time from another: each is met by one restart. */
  | { do: 'restart'; on: Incarnation; since: number }
  /** Instance ids of the members that need a slot on the RW; other slots of ours go. */
  | { do: 'slots'; on: Incarnation; instances: readonly string[] }
  | { do: 'follow'; on: Incarnation; how: 'join' | 'rejoin' | 'start'; upstream?: Incarnation; role: 'ro' | 'standby' };

/** Code of a checkpoint that goes on after its answer: it has not failed. */
export const CHECKPOINT_GOES_ON = 'CheckpointGoesOn';

export interface RequestVerdict {
  id: string;
  /** `accepted` has to be written down by the request's owner, with the epoch, before anything else is done for it. */
  outcome: 'accepted' | 'refused' | 'done' | 'failed';
  epoch: number;
  target?: string;
  reason: string;
  message: string;
}

/** The same key is the same command: it is sent once, and sent again only after it failed. */
export function commandKey(command: Command, record: GroupRecord, settingsHash: string): string {
  return [commandKind(command, record), ...detail(command, settingsHash)].join(' ');
}

/** What keys of commands of one kind to one member begin with. */
export function commandKind(command: Command, record: GroupRecord): string {
  const { epoch, term } = commandStamp(record);
  return [command.do, formatIncarnation(command.on), epoch, term].join(' ');
}

function detail(command: Command, settingsHash: string): (string | number)[] {
  switch (command.do) {
    case 'demote':
      return [command.mode];
    case 'quorum':
      return [command.generation];
    case 'restart':
      return [command.since];
    case 'slots':
      return command.instances.map(String);
    case 'follow':
      return [command.how, command.upstream ? formatIncarnation(command.upstream) : 'none', command.role, settingsHash];
    default:
      return [];
  }
}
