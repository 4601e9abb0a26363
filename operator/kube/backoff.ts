/** Growing waits with jitter, so that many waiters do not come back at the same moment. */
export interface BackoffLimits {
  baseMs: number;
  maxMs: number;
}

/** Wait before the n-th repeat (n from 1): base doubled each time up to the limit, then 80-120 % of it. */
export function backoffMs(limits: BackoffLimits, n: number, random: () => number): number {
  const plain = Math.min(limits.baseMs * 2 ** Math.min(n - 1, 30), limits.maxMs);
  return plain * (0.8 + 0.4 * random());
}
