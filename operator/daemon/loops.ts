import type { Clock } from '../kube/clock.ts';
import type { Logger } from '../kube/types.ts';
import { JOB_NAMES, Loop, type Job, type JobName, type LoopState, type LoopTiming } from './loop.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Periods are those of the original where it had a loop of the kind; docs/concepts/hosts.md lists them. */
const TIMING: Readonly<Record<JobName, LoopTiming>> = {
  network: { periodMs: 3 * SECOND, limitMs: 15 * SECOND, retryMs: SECOND, firstWithinMs: 0 },
  ports: { periodMs: MINUTE, limitMs: 30 * SECOND, retryMs: 2 * SECOND, firstWithinMs: 2 * SECOND },
  volumes: { periodMs: 30 * SECOND, limitMs: 30 * SECOND, retryMs: 2 * SECOND, firstWithinMs: 2 * SECOND },
  versions: { periodMs: 10 * MINUTE, limitMs: 5 * MINUTE, retryMs: 5 * SECOND, firstWithinMs: 5 * SECOND },
  logs: { periodMs: 6 * HOUR, limitMs: 2 * HOUR, retryMs: MINUTE, firstWithinMs: 30 * SECOND },
};

export interface LoopsOptions {
  jobs: Readonly<Record<JobName, Job>>;
  clock: Clock;
  random: () => number;
  log: Logger;
  /** Called after each change of a loop's state. */
  onChange: (name: JobName, state: LoopState) => void;
}

export type LoopStates = Readonly<Record<JobName, LoopState>>;

/** All loops of a host. None waits for another. */
export class Loops {
  readonly #loops: Readonly<Record<JobName, Loop>>;

  constructor({ jobs, onChange, ...rest }: LoopsOptions) {
    const make = (name: JobName): Loop =>
      new Loop({ ...rest, job: jobs[name], timing: TIMING[name], onChange: state => onChange(name, state) });
    this.#loops = byName(make);
  }

  get states(): LoopStates {
    return byName(name => this.#loops[name].state);
  }

  start(): void {
    for (const name of JOB_NAMES) this.#loops[name].start();
  }

  /** Runs one as soon as it can; the state after that run. */
  now(name: JobName): Promise<LoopState> {
    return this.#loops[name].now();
  }

  /** False when one did not end within the limit, ms. */
  async stop(limitMs: number): Promise<boolean> {
    const ended = await Promise.all(JOB_NAMES.map(name => this.#loops[name].stop(limitMs)));
    return ended.every(Boolean);
  }
}

function byName<T>(of: (name: JobName) => T): Record<JobName, T> {
  return Object.fromEntries(JOB_NAMES.map(name => [name, of(name)])) as Record<JobName, T>;
}

/** A line for each loop, in the form of a health check. */
export const loopNotes = (states: LoopStates, now: Date): string[] =>
  JOB_NAMES.map(name => `${isWell(states[name]) ? '[+]' : '[-]'} ${name}: ${noteOf(states[name], now)}`);

const isWell = ({ failures, isStuck }: LoopState): boolean => failures === 0 && !isStuck;

function noteOf(state: LoopState, now: Date): string {
  const { failures, error, lastSuccess, lastDurationMs, result } = state;
  const last = lastSuccess ? `${secondsSince(lastSuccess, now)} s ago` : 'not through once yet';
  const duration = lastDurationMs === undefined ? '' : `, took ${Math.round(lastDurationMs)} ms`;
  const words = isWell(state) ? result?.message : `${failures} failures in a row: ${error ?? ''}`;
  return `${last}${duration}${words ? `; ${words}` : ''}`;
}

const secondsSince = (date: Date, now: Date): number =>
  Math.max(0, Math.round((now.getTime() - date.getTime()) / SECOND));
