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

/** What one incarnation knows. A later (a) or (c) is one more function from state to state beside `onRecordRead`. */
export interface RightState {
  /** Highest epoch and, in it, generation seen: whatever is older is late and gives nothing. */
  epoch: number;
  generation: number;
  right?: Right;
}

export const noRight: RightState = { epoch: 0, generation: 0 };

export interface RightOptions {
  me: Incarnation;
  clusterUid: string;
  /** How long an answered request counts from its sending. */
  ttlMs: number;
}

export const DEFAULT_TTL_MS = 3000;

/** (b): the record was read directly with a request sent at `sentAt`. */
export function onRecordRead(
  state: RightState,
  read: { record: GroupRecord; sentAt: number },
  options: RightOptions,
): RightState {
  const { record } = read;
  if (record.clusterUid !== options.clusterUid || record.epoch < state.epoch) return state;
  if (!record.holder || !isSameIncarnation(record.holder, options.me)) return onOtherHolder(state, record);
  const seen = { epoch: record.epoch, generation: latestGeneration(state, record) };
  const fresh = rightOf(read, seen.generation, options.ttlMs);
  return { ...seen, right: keepsOld(state, record, fresh) ? state.right : fresh };
}

/** A demotion, or any other word of a revoke that began `epoch`: refuses every right of an earlier epoch for good. */
export function onRevoked(state: RightState, epoch: number): RightState {
  return epoch > state.epoch ? { epoch, generation: 0 } : state;
}

/** Does the right hold at `now`? At its end it does not. */
export const holds = (state: RightState, now: number): boolean => state.right !== undefined && now < state.right.until;

/** In one epoch the record goes from nobody to one holder, so a read without a holder is merely late. */
function onOtherHolder(state: RightState, record: GroupRecord): RightState {
  if (record.epoch === state.epoch && !record.holder) return state;
  return { epoch: record.epoch, generation: record.generation };
}

const latestGeneration = (state: RightState, record: GroupRecord): number =>
  state.epoch === record.epoch ? Math.max(state.generation, record.generation) : record.generation;

/** Unbounded only by the newest (E, k) known: a late read that shows E empty says nothing about E now. */
function rightOf({ record, sentAt }: { record: GroupRecord; sentAt: number }, newest: number, ttlMs: number): Right {
  const isAlone = record.members.length === 0 && record.generation === newest;
  return isAlone ? { kind: 'alone', until: Infinity } : { kind: 'record', until: sentAt + ttlMs };
}

/** Answers come out of order and never shorten a right, except that E stops being empty. */
function keepsOld(state: RightState, record: GroupRecord, fresh: Right): boolean {
  if (!state.right || state.epoch !== record.epoch || state.right.until <= fresh.until) return false;
  return state.right.kind !== 'alone' || state.generation > record.generation;
}
