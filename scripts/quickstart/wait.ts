import { setTimeout as sleep } from 'node:timers/promises';
import type { Missing } from './judge.ts';

export interface Patience {
  /** A look takes a process of its own, so it is not taken more often, ms. @default 500 */
  everyMs?: number;
  /** Gives up when the same is missing for so long, s. */
  sameSeconds: number;
  /** Gives up in any case, s. */
  seconds: number;
}

/** Time, so that tests need not wait. */
export interface Clock {
  now(): number;
  sleep(ms: number): Promise<unknown>;
}

const realClock: Clock = { now: () => performance.now(), sleep };

/** Something did not come up in time; what was missing last. */
export class NotReady extends Error {
  override readonly name = 'NotReady';
}

/**
 * Looks until nothing is missing. A look that fails counts as a reason too: the API server may be away for a moment.
 * @param tell is told what is missing
 * @throws NotReady when patience ends
 */
export async function waitUntil(
  look: () => Promise<Missing>,
  tell: (reason: string) => void,
  { everyMs = 500, sameSeconds, seconds }: Patience,
  clock: Clock = realClock,
): Promise<void> {
  const began = clock.now();
  let since = began;
  let last: Missing;
  for (;;) {
    const missing = await look().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (missing === undefined) return;
    const now = clock.now();
    if (missing !== last) since = now;
    last = missing;
    tell(missing);
    if (now - since >= sameSeconds * 1000) throw new NotReady(`${missing} (for ${sameSeconds} s)`);
    if (now - began >= seconds * 1000) throw new NotReady(`${missing} (gave up after ${seconds} s)`);
    await clock.sleep(everyMs);
  }
}
