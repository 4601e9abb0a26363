import type { Incarnation } from './incarnation.ts';
import type { LogPosition, Lsn } from './lsn.ts';
import type { GroupRecord } from './record.ts';

/**
 * What one cluster manager process remembers of a group between two decisions: moments of its own monotonic clock. It
 * is lost with the process; whatever rests on it begins anew then, which only makes waits longer.
 */
export interface GroupMemory {
  /** Epoch that the moments of `now` belong to. */
  epoch: number;
  /** The newest record that this process has seen, leading or not: one that is older came back from a copy. */
  newest?: GroupRecord;
  /** When this process first knew that the record has no holder in this epoch. */
  revokeKnownAt?: number;
  /** When this process first knew of the holder of this epoch. */
  grantKnownAt?: number;
  /** When the proof of the former holder was first seen. */
  provenAt?: number;
  /** When the holder was first seen with a dead engine, not up again since. */
  crashSeenAt?: number;
  /** When the holder of this epoch was first seen accepting writes. */
  servedSince?: number;
  /** Since when the engine of the holder is up, as far as was heard: not while it starts, stops or is down. */
  upSince?: number;
  /** Since when it is up and answers no SQL. */
  muteSince?: number;
  /** When an RW was last seen accepting writes, in whatever epoch. */
  servedAt?: number;
  /** Since when an RW is wanted. */
  wantedAt?: number;
  /** First sight of the request, by its id. */
  request?: { id: string; at: number };
  /** Last time that each member streamed, by the RW's word; by formatted incarnation. */
  streamedAt: ReadonlyMap<string, number>;
  /** How far each member had flushed by the RW's last word; by formatted incarnation. */
  flushed: ReadonlyMap<string, Lsn>;
  /** Followers of the RW that get nothing; by formatted incarnation. */
  astray: ReadonlyMap<string, Astray>;
  /** Incarnations that ended by their kubelet's word, formatted. What has ended never comes back. */
  ended: ReadonlySet<string>;
  /** How far an RW is known to have written: for the loss that a forced failover states. */
  rwPosition?: LogPosition & { of: Incarnation };
}

/** A follower that ran as it should and neither streamed nor came further in the log that it has. */
export interface Astray {
  /** From when on it counts, and what tells one time from another. */
  since: number;
  lsn?: Lsn;
}

export const noMemory: GroupMemory = {
  epoch: 0,
  streamedAt: new Map(),
  flushed: new Map(),
  astray: new Map(),
  ended: new Set(),
};
