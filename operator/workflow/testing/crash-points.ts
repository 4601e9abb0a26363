/**
 * The crash-point rule as a harness: a controller may be killed between any two of its calls and everything still
 * ends right. For n = 1, 2, ... a fresh world is made, the controller lives until just before its n-th call, dies there,
 * and a second controller that remembers nothing must bring the world to its end. It is over when a life needs fewer
 * than n calls. Death is a call that never returns, not an exception: no catch and no finally of the dead one runs on.
 */

export interface CrashGate {
  /** To be awaited before each call that leaves the process. `call` names it for people ("patch pods a/b"). */
  readonly before: (call: string) => Promise<void>;
  /** Aborts when the life is over (killed or ended), so that timers and loops of it can go. */
  readonly signal: AbortSignal;
}

export interface CrashScenario<W> {
  /** What outlives a controller: API server, agents, volumes. A new one for each crash point. */
  world(): W | Promise<W>;
  /** One life of a controller with nothing in memory; ends when there is nothing left to do. */
  live(world: W, gate: CrashGate): Promise<void>;
  /** Throws when the world is not as it must be. `point` is undefined for the run without a crash. */
  check(world: W, point: CrashPoint | undefined): void | Promise<void>;
}

export interface CrashPoint {
  /** The call that was not made any more, counted from 1. */
  readonly number: number;
  readonly call: string;
}

export interface CrashReport {
  /** Every point at which a controller was killed. */
  readonly points: readonly CrashPoint[];
}

export interface CrashOptions {
  /** Longest time one life may take, ms (default 10 s). */
  readonly limitMs?: number;
  /** A flow with more calls than this is taken for one that never ends (default 5,000). */
  readonly maxPoints?: number;
}

/** Kills at every point, one after the other. @throws Error that names the crash point, with the failure as its cause */
export async function atEveryCrashPoint<W>(
  scenario: CrashScenario<W>,
  { limitMs = 10_000, maxPoints = 5_000 }: CrashOptions = {},
): Promise<CrashReport> {
  const points: CrashPoint[] = [];
  for (let number = 1; number <= maxPoints; number++) {
    const world = await scenario.world();
    let point: CrashPoint | undefined;
    try {
      point = await liveUntil(number, gate => scenario.live(world, gate), limitMs);
      if (point) await liveUntil(Infinity, gate => scenario.live(world, gate), limitMs);
      await scenario.check(world, point);
    } catch (cause) {
      const where = point ? `killed before call ${number} (${point.call})` : 'without a crash';
      throw new Error(`${where}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
    if (!point) return { points };
    points.push(point);
  }
  throw new Error(`still not at its end after ${maxPoints} calls`);
}

/** Returns where it was killed, or undefined when it ended before that many calls. */
async function liveUntil(
  fatal: number,
  live: (gate: CrashGate) => Promise<void>,
  limitMs: number,
): Promise<CrashPoint | undefined> {
  const life = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let calls = 0;
  let last = 'none';
  const ended = new Promise<CrashPoint | undefined>((resolve, reject) => {
    const before = (call: string): Promise<void> => {
      calls++;
      last = call;
      if (calls < fatal) return Promise.resolve();
      resolve({ number: fatal, call });
      return new Promise(() => undefined);
    };
    const tooLate = (): void =>
      reject(new Error(`not at its end after ${limitMs} ms and ${calls} calls, the last one: ${last}`));
    timer = setTimeout(tooLate, limitMs);
    live({ before, signal: life.signal }).then(() => resolve(undefined), reject);
  });
  return ended.finally(() => {
    clearTimeout(timer);
    life.abort();
  });
}
