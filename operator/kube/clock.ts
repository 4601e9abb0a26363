/** Time as a parameter, so that tests move it by hours in no time. */
export interface Clock {
  /** Monotonic, ms. Never compare it between processes. */
  now(): number;
  /** Wall clock, for what people and other processes read. */
  date(): Date;
  /** Runs `fn` once after `ms`; returns how to call it off. Keeps the process alive: a back-off must not end it. */
  after(ms: number, fn: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or at once when `signal` aborts. Never rejects: callers look at the signal. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise(resolve => {
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(ms, finish);
    signal?.addEventListener('abort', finish);
  });
}

/** RFC 3339 with six digits: Go parses a MicroTime only so. */
export function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
