/**
 * What a cluster chose for its high availability (`spec.ha`, which also checks the bounds), with every time of the
 * protocol. Times are ms.
 */
export interface HaOptions {
  /** When no member can acknowledge a commit (`local`): wait (`required`), or go on with k = 0 (`preferred`). */
  durability: 'required' | 'preferred';
  /** Does rung 4 count on a shared volume? Expiry does not stop I/O that is queued below the engine. */
  unfencedFailover: 'never' | 'afterExpiry';
  /** How long an answered request, or a promise, counts as a right, from its sending. */
  ttlMs: number;
  /** Drift of clocks, wake-up of the guard and the time that killing takes: rung 4 waits this much longer than the ttl. */
  marginMs: number;
  /** Period of beats and reports. */
  beatMs: number;
  /** An agent that was not heard for so long is silent. */
  silentMs: number;
  /** After a crash: how long the members have for their answers before the RW is started again in place. */
  quorumWaitMs: number;
  /** Cold start: how long the RW's own instance is waited for before others are considered. */
  coldStartMs: number;
  /** A member that does not stream for so long leaves E. */
  memberLostMs: number;
  /** Planned switchover: how long the target may take to catch up before the request is refused. */
  catchUpMs: number;
  /** Planned stop of the RW: how long a fast stop may take before what is left is killed. */
  stopMs: number;
  /** The RW endpoint is emptied when its RW is away for so long; before that clients get refused connections, which is faster. */
  withdrawMs: number;
}

export const DEFAULT_OPTIONS: HaOptions = {
  durability: 'preferred',
  unfencedFailover: 'never',
  ttlMs: 3000,
  marginMs: 500,
  beatMs: 500,
  silentMs: 1500,
  quorumWaitMs: 300,
  coldStartMs: 30_000,
  memberLostMs: 3000,
  catchUpMs: 10_000,
  stopMs: 2000,
  withdrawMs: 10_000,
};
