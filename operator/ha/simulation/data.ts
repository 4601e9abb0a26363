import type { Incarnation } from '../incarnation.ts';
import type { Persisted } from './agent-state.ts';

/**
 * A data directory: a history of rows. The place of a row is its LSN, so one history contains another when it has the
 * same rows at the same places.
 */
export interface Data {
  /** `partial`: a copy or a rewind began and did not end; only a new base backup will do. */
  state: 'blank' | 'partial' | 'initialized';
  clusterUid?: string;
  epoch: number;
  /** Who was RW on it in that epoch. */
  holder?: Incarnation;
  rows: number[];
  /** What ended as a follower opens a new timeline before it is an RW. */
  isInRecovery: boolean;
  /** A copy was taken while its source wrote, and needs its word of who was writing: it answers from this LSN on. */
  consistentFrom: number;
  /** Timelines of this history in their order; each begins at an LSN. */
  timelines: Timeline[];
}

interface Timeline {
  id: number;
  begin: number;
}

/** What outlives a container: the instance's own volume. */
export interface OwnVolume {
  persisted: Persisted;
  /** In `local`; in `share` all members have the same. */
  data: Data;
}

export const blankData = (): Data => ({
  state: 'blank',
  epoch: 0,
  rows: [],
  isInRecovery: false,
  consistentFrom: 0,
  timelines: [],
});

export const lsnOf = (data: Data): number => data.rows.length;
export const timelineOf = (data: Data): number => data.timelines.at(-1)?.id ?? 0;

/**
 * A promotion: the history goes on under a new name, the number of its epoch. PostgreSQL would take the next one that it
 * does not know, which two promotions of two epochs may both do; nobody could tell their histories apart then.
 */
export function beginTimeline(data: Data, epoch: number): void {
  data.timelines = [...data.timelines, { id: Math.max(epoch, timelineOf(data) + 1), begin: lsnOf(data) }];
  data.isInRecovery = false;
}

/** PostgreSQL's check before it streams: the follower's history must not go beyond where the upstream's forked off. */
export function mayStream(follower: Data, upstream: Data): boolean {
  const own = timelineOf(follower);
  const at = upstream.timelines.findIndex(it => it.id === own);
  if (at < 0) return false;
  const end = upstream.timelines[at + 1]?.begin ?? lsnOf(upstream);
  return lsnOf(follower) <= end;
}

/**
 * Replaces what is there by a copy (base backup, or the end of a rewind).
 * @param beyond rows that have to come by streaming before it answers
 */
export function copyData(from: Data, to: Data, beyond: number): void {
  Object.assign(to, { state: 'initialized', clusterUid: from.clusterUid });
  if (from.epoch > to.epoch) Object.assign(to, { epoch: from.epoch, holder: undefined });
  to.rows = [...from.rows];
  to.consistentFrom = from.rows.length + beyond;
  to.isInRecovery = true;
  to.timelines = from.timelines;
}

/** WAL of the upstream up to an LSN arrives. */
export function appendFrom(from: Data, to: Data, upTo: number): void {
  for (let at = to.rows.length; at < upTo; at++) to.rows.push(from.rows[at]!);
  to.timelines = from.timelines;
}
