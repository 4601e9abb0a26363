import { readFileSync } from 'node:fs';

export interface Clock {
  now(): Date;
  /** Milliseconds since the host booted, sleep of the host included (CLOCK_BOOTTIME): rights are measured by it. */
  boottime(): number;
  /** Runs `act` once after `ms`; returns how to call it off. */
  after(ms: number, act: () => void): () => void;
}

/** Resolves or rejects as `work` does, or resolves after `ms`, whichever comes first; `work` goes on. */
export async function within(
  clock: Pick<Clock, 'after'>,
  ms: number,
  work: Promise<unknown> | undefined,
): Promise<void> {
  let stop: () => void = () => undefined;
  const limit = new Promise<void>(resolve => (stop = clock.after(ms, resolve)));
  try {
    await Promise.race([work, limit]);
  } finally {
    stop();
  }
}

/** Hundredths of a second since boot, as the guard reads them too. Node has no clock of its own for CLOCK_BOOTTIME. */
const readUptime = (): number => Number(readFileSync('/proc/uptime', 'latin1').split(' ', 1)[0]) * 1000;

export const systemClock: Clock = {
  now: () => new Date(),
  boottime: readUptime,
  after: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};
