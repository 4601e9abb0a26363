import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  /** Gives up after this long, ms. @default 60,000 */
  deadlineMs?: number;
  /** Between two looks, ms. @default 200 */
  everyMs?: number;
}

/** Looks once; undefined or a throw mean "not yet", and a throw says why. */
export type Look<T> = () => Promise<T | undefined> | T | undefined;

/**
 * Looks until there is something.
 * @param what is completed to "<what> within N s", for the message of the failure
 * @throws Error with the last reason
 */
export async function eventually<T>(what: string, look: Look<T>, patience: Patience = {}): Promise<T> {
  const { deadlineMs = 60_000, everyMs = 200 } = patience;
  const end = performance.now() + deadlineMs;
  for (;;) {
    const { value, reason } = await attempt(look);
    if (value !== undefined) return value;
    if (performance.now() >= end) throw new Error(`${what}: not within ${deadlineMs / 1000} s (${reason})`);
    await sleep(everyMs);
  }
}

async function attempt<T>(look: Look<T>): Promise<{ value?: T; reason: string }> {
  try {
    return { value: await look(), reason: 'not yet' };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Looks again and again for this long, and fails as soon as it throws: for what must stay as it is. */
export async function throughout(ms: number, look: () => Promise<unknown>, everyMs = 200): Promise<void> {
  const end = performance.now() + ms;
  do {
    await look();
    await sleep(everyMs);
  } while (performance.now() < end);
}
