import { isSameIncarnation, type Incarnation } from './incarnation.ts';
import type { GroupRecord } from './record.ts';

/**
 * The agent's right to keep its engine up as RW. Times are milliseconds of a clock that runs through sleep of the host
 * (CLOCK_BOOTTIME) and count from the SENDING of the request that was answered.
 * - `answer`: (a) the cluster manager's answer;
 * - `record`: (b) a direct read of the record that names this incarnation;
 * - `promises`: (c) promises of all members of E, which extend a right and never begin one;
 * - `alone`: E is empty, nobody could be promoted, so the right does not expire.
 */
export interface Right {
  kind: 'answer' | 'record' | 'promises' | 'alone';
  until: number;
}

/** What one incarnation knows. */
export interface RightState {
  /** Highest epoch and, in it, generation seen: whatever is older is late and gives nothing. */
  epoch: number;
  generation: number;
  right?: Right;
  /** The last E of this epoch that it knows to be recorded, pending members included. */
  recorded?: KnownMembers;
  /** The grant's ttl, ms: whoever waits for the end of this right goes by it. */
  ttlMs?: number;
  /**
   * E of the commands for synchronous replication that are newer than `recorded`. All of them count: one that takes a
   * member away comes before its record, one that brought it came after its record.
   */
  commanded?: readonly KnownMembers[];
}

export interface KnownMembers {
  generation: number;
  members: readonly Incarnation[];
}

export const noRight: RightState = { epoch: 0, generation: 0 };

export interface RightOptions {
  me: Incarnation;
  clusterUid: string;
  /** How long an answered request counts from its sending; less where the record's grant says less. */
  ttlMs: number;
}

/** What a grant that says nothing stands for, ms. */
export const DEFAULT_TTL_MS = 3000;
/** The shortest that a cluster can choose, ms: what counts until the grant was read. */
const LEAST_TTL_MS = 2500;

/** What a cluster manager knows to be recorded, as it stands in its beats. */
export interface RecordStamp {
  clusterUid: string;
  epoch: number;
  generation: number;
}

/** (a): the cluster manager answered the report that was sent at `sentAt`. It answers the holder alone. */
export function onAnswer(
  state: RightState,
  answer: { stamp: RecordStamp; sentAt: number },
  options: RightOptions,
): RightState {
  const { stamp, sentAt } = answer;
  if (stamp.clusterUid !== options.clusterUid || stamp.epoch < state.epoch) return state;
  const known = inEpoch(state, stamp.epoch);
  const fresh: Right = { kind: 'answer', until: sentAt + ttlOf(known, options) };
  const generation = Math.max(known.generation, stamp.generation);
  const right = keepsOld(known, fresh, stamp.generation > known.generation) ? known.right : fresh;
  return { ...known, generation, right };
}

/** (b): the record was read directly with a request sent at `sentAt`. */
export function onRecordRead(
  state: RightState,
  read: { record: GroupRecord; sentAt: number },
  options: RightOptions,
): RightState {
  const { record } = read;
  if (record.clusterUid !== options.clusterUid || record.epoch < state.epoch) return state;
  if (!record.holder || !isSameIncarnation(record.holder, options.me)) return onOtherHolder(state, record);
  const known: RightState = { ...inEpoch(state, record.epoch), ttlMs: record.grant?.ttlMs ?? DEFAULT_TTL_MS };
  const generation = Math.max(known.generation, record.generation);
  const fresh = rightOf(read, generation, ttlOf(known, options));
  const hasMembers = record.generation >= known.generation && record.members.length > 0;
  const right = keepsOld(known, fresh, hasMembers) ? known.right : fresh;
  return { ...known, generation, right, ...membersAfter(known, record) };
}

/**
 * (c): all of `promised` answered a question sent at `sentAt` that they will not be promoted by rung 4 before it ends.
 * It counts only when these are all that could be, and only while a right holds.
 */
export function onPromises(
  state: RightState,
  promises: { epoch: number; promised: readonly Incarnation[]; sentAt: number; now: number },
  options: RightOptions,
): RightState {
  const needed = promisersOf(state);
  if (promises.epoch !== state.epoch || needed.length === 0 || !holds(state, promises.now)) return state;
  if (!needed.every(it => promises.promised.some(by => isSameIncarnation(by, it)))) return state;
  const until = promises.sentAt + ttlOf(state, options);
  return state.right && state.right.until >= until ? state : { ...state, right: { kind: 'promises', until } };
}

/** Whose promises (c) needs: the last E known to be recorded, united with what is pending. Empty: (c) is not to be had. */
export function promisersOf({ recorded, commanded = [] }: RightState): readonly Incarnation[] {
  if (!recorded) return [];
  const all = [recorded, ...commanded].flatMap(it => it.members);
  return all.filter((it, i) => all.findIndex(other => isSameIncarnation(other, it)) === i);
}

/**
 * A command for synchronous replication was taken at `now`. Where it brings members, somebody may be promoted soon: a
 * right without end gets one before the command is acknowledged. (A member becomes promotable only after that.)
 */
export function onQuorumCommand(
  state: RightState,
  command: KnownMembers & { epoch: number; now: number },
  options: RightOptions,
): RightState {
  const { epoch, generation, members, now } = command;
  if (epoch < state.epoch) return state;
  const known = inEpoch(state, epoch);
  const isBound = known.right?.kind === 'alone' && members.length > 0;
  const bounded = isBound ? { kind: 'record' as const, until: now + ttlOf(known, options) } : known.right;
  const commanded = [...(known.commanded ?? []), { generation, members }];
  return { ...known, generation: Math.max(known.generation, generation), right: bounded, commanded };
}

/** Something newer than what this incarnation has read is recorded: one direct read tells whom (c) needs, or that E is empty. */
export const needsRead = ({ epoch, recorded }: RightState, stamp: RecordStamp): boolean =>
  stamp.epoch > epoch || (stamp.epoch === epoch && stamp.generation > (recorded?.generation ?? 0));

/** A demotion, or any other word of a revoke that began `epoch`: refuses every right of an earlier epoch for good. */
export function onRevoked(state: RightState, epoch: number): RightState {
  return epoch > state.epoch ? { epoch, generation: 0 } : state;
}

/** How long an answered request counts for this incarnation now, ms; what it asks promises for. */
export const ttlOf = ({ ttlMs = LEAST_TTL_MS }: RightState, options: RightOptions): number =>
  Math.min(ttlMs, options.ttlMs);

/** Does the right hold at `now`? At its end it does not. */
export const holds = (state: RightState, now: number): boolean => state.right !== undefined && now < state.right.until;

const inEpoch = (state: RightState, epoch: number): RightState =>
  epoch === state.epoch ? state : { epoch, generation: 0 };

/** In one epoch the record goes from nobody to one holder, so a read without a holder is merely late. */
function onOtherHolder(state: RightState, record: GroupRecord): RightState {
  if (record.epoch === state.epoch && !record.holder) return state;
  return { epoch: record.epoch, generation: record.generation };
}

/** Unbounded only by the newest (E, k) known: a late read that shows E empty says nothing about E now. */
function rightOf({ record, sentAt }: { record: GroupRecord; sentAt: number }, newest: number, ttlMs: number): Right {
  const isAlone = record.members.length === 0 && record.generation === newest;
  return isAlone ? { kind: 'alone', until: Infinity } : { kind: 'record', until: sentAt + ttlMs };
}

/** Answers come out of order and never shorten a right, except that E may have stopped being empty. */
function keepsOld({ right }: RightState, fresh: Right, mayHaveMembers: boolean): boolean {
  if (!right || right.until <= fresh.until) return false;
  return right.kind !== 'alone' || !mayHaveMembers;
}

function membersAfter(
  state: RightState,
  { generation, members }: GroupRecord,
): Pick<RightState, 'recorded' | 'commanded'> {
  const { recorded, commanded = [] } = state;
  if (recorded && recorded.generation > generation) return { recorded, commanded };
  return {
    recorded: { generation, members: members.map(it => it.incarnation) },
    commanded: commanded.filter(it => it.generation > generation),
  };
}
