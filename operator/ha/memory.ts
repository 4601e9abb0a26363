import type { Incarnation } from './incarnation.ts';

/**
 * What one cluster manager process remembers of a group between two decisions: moments of its own monotonic clock. It
 * is lost with the process; whatever rests on it begins anew then, which only makes waits longer.
 */
export interface GroupMemory {
  /** Epoch that the moments below belong to. */
  epoch: number;
  /** When this process first knew that the record has no holder in this epoch. */
  revokeKnownAt?: number;
  /** When this process first knew of the holder of this epoch. */
  grantKnownAt?: number;
  /** When the holder was first seen with a dead engine, not up again since. */
  crashSeenAt?: number;
  /** When the holder was last seen accepting writes. */
  servedAt?: number;
  /** When the proof of the former holder was first seen. */
  provenAt?: number;
  /** First sight of the request, by its id. */
  request?: { id: string; at: number };
  /** Last time that the RW told of each member as streaming; by formatted incarnation. */
  streamedAt: ReadonlyMap<string, number>;
  /** Incarnations that are proven ended by their kubelet, formatted. What has ended never comes back. */
  ended: ReadonlySet<string>;
  /** How far the RW is known to have written; for the loss that a forced failover states. */
  rwPosition?: { of: Incarnation; timeline: number; lsn: bigint };
}

export const noMemory: GroupMemory = { epoch: 0, streamedAt: new Map(), ended: new Set() };
