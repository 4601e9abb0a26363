import { backoffMs } from '../kube/backoff.ts';
import type { Clock } from '../kube/clock.ts';
import type { Logger } from '../kube/types.ts';

/** The jobs of a host, each in a loop of its own. */
export const JOB_NAMES = ['ports', 'versions', 'logs', 'network', 'volumes'] as const;
export type JobName = (typeof JOB_NAMES)[number];

export interface Job {
  readonly name: JobName;
  /** Does the work once. It throws when it failed, and ends soon after the signal aborts. */
  run(signal: AbortSignal): Promise<JobResult>;
}

export interface JobResult {
  /** What a person may read on /healthz. */
  message: string;
  /** Nothing was done, on purpose: the message says why. */
  skipped?: boolean;
}

export interface LoopTiming {
  /** From the end of a run to the start of the next, ms; each time 90-110 % of it. */
  periodMs: number;
  /** A run that takes longer is called off, ms. */
  limitMs: number;
  /** Wait after the first failure, ms; doubled with each further one, up to the period and to five minutes. */
  retryMs: number;
  /** The first run comes within this time, ms: hosts that start together do not ask the server together. */
  firstWithinMs: number;
}

/** Why a run is called off that took no longer than it may. */
export class DaemonEnds extends Error {
  constructor() {
    super('the daemon ends');
    this.name = 'DaemonEnds';
  }
}

/** However long its period is: a host is well again soon after what failed is mended. */
const RETRY_AT_MOST_MS = 300_000;

export interface LoopState {
  isRunning: boolean;
  /** It was called off and has not ended yet. */
  isStuck: boolean;
  lastStart?: Date;
  lastSuccess?: Date;
  lastDurationMs?: number;
  /** Failures in a row. */
  failures: number;
  /** Of the last failure, until a run succeeds. */
  error?: string;
  /** Of the last run that succeeded. */
  result?: JobResult;
}

export interface LoopOptions {
  job: Job;
  timing: LoopTiming;
  clock: Clock;
  random: () => number;
  log: Logger;
  /** Called after each change of the state. */
  onChange?: (state: LoopState) => void;
}

interface Waiter {
  /** Runs that begin from this number on answer it. */
  from: number;
  resolve: (state: LoopState) => void;
}

/**
 * Runs one job again and again. Runs never overlap, however often one is asked for: a run that does not end when it is
 * called off keeps its own loop waiting and no other, and shows as stuck.
 */
export class Loop {
  readonly name: JobName;
  readonly #options: LoopOptions;
  #state: LoopState = { isRunning: false, isStuck: false, failures: 0 };
  #begun = 0;
  #isRequested = false;
  #isOpen = false;
  #waiters: Waiter[] = [];
  #cancelWait: () => void = () => undefined;
  #running: { abort: AbortController; ended: Promise<void> } | undefined;

  constructor(options: LoopOptions) {
    this.name = options.job.name;
    this.#options = options;
  }

  get state(): LoopState {
    return this.#state;
  }

  start(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const { timing, random } = this.#options;
    this.#wait(this.#isRequested ? 0 : timing.firstWithinMs * random());
  }

  /** Runs as soon as no other run is under way; the state after that run. Many requests are answered by one run. */
  now(): Promise<LoopState> {
    const answer = new Promise<LoopState>(resolve => this.#waiters.push({ from: this.#begun + 1, resolve }));
    this.#isRequested = true;
    if (this.#isOpen && !this.#running) this.#wait(0);
    return answer;
  }

  /** No further runs; the one under way is called off and waited for, no longer than the limit, ms. */
  async stop(limitMs: number): Promise<boolean> {
    this.#isOpen = false;
    this.#cancelWait();
    const running = this.#running;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(this.#state);
    if (!running) return true;
    running.abort.abort(new DaemonEnds());
    return new Promise(resolve => {
      const cancel = this.#options.clock.after(limitMs, () => resolve(false));
      void running.ended.then(() => {
        cancel();
        resolve(true);
      });
    });
  }

  #wait(ms: number): void {
    this.#cancelWait();
    this.#cancelWait = this.#options.clock.after(ms, () => this.#begin());
  }

  #begin(): void {
    const abort = new AbortController();
    const ended = this.#run(abort).then(() => {
      this.#running = undefined;
      if (this.#isOpen) this.#wait(this.#isRequested ? 0 : this.#pauseMs());
    });
    this.#running = { abort, ended };
  }

  /** One run; never rejects. */
  async #run(abort: AbortController): Promise<void> {
    const { job, timing, clock } = this.#options;
    const number = ++this.#begun;
    this.#isRequested = false;
    const since = clock.now();
    this.#change({ isRunning: true, lastStart: clock.date() });
    const cancel = clock.after(timing.limitMs, () => this.#callOff(abort));
    let ending: Partial<LoopState>;
    try {
      const result = await job.run(abort.signal);
      // A job that ends late with a result has still done its work.
      ending = { failures: 0, error: undefined, result, lastSuccess: clock.date() };
    } catch (error) {
      ending = { failures: this.#state.failures + 1, error: this.#reasonOf(abort.signal, error) };
    }
    cancel();
    this.#change({ isRunning: false, isStuck: false, lastDurationMs: clock.now() - since, ...ending });
    this.#tell(ending);
    const isAnswered = (waiter: Waiter): boolean => waiter.from <= number;
    for (const waiter of this.#waiters.filter(isAnswered)) waiter.resolve(this.#state);
    this.#waiters = this.#waiters.filter(waiter => !isAnswered(waiter));
  }

  #callOff(abort: AbortController): void {
    const { limitMs } = this.#options.timing;
    const error = `did not end within ${limitMs} ms`;
    this.#change({ isStuck: true, error });
    abort.abort(new Error(error));
  }

  /** A job that was called off often fails with something that says less. */
  #reasonOf(signal: AbortSignal, error: unknown): string {
    const cause: unknown = signal.aborted ? signal.reason : error;
    return cause instanceof Error ? cause.message : String(cause);
  }

  #tell({ failures = 0, error }: Partial<LoopState>): void {
    // The state is on /healthz all the time: the log has the beginning of trouble, and a line now and then.
    const isNews = Number.isInteger(Math.log2(failures));
    if (error !== undefined && isNews) this.#options.log.warn('a job failed', { job: this.name, failures, error });
  }

  #pauseMs(): number {
    const { timing, random } = this.#options;
    const { failures } = this.#state;
    if (failures === 0) return timing.periodMs * (0.9 + 0.2 * random());
    const maxMs = Math.min(timing.periodMs, RETRY_AT_MOST_MS);
    return backoffMs({ baseMs: timing.retryMs, maxMs }, failures, random);
  }

  #change(part: Partial<LoopState>): void {
    this.#state = { ...this.#state, ...part };
    this.#options.onChange?.(this.#state);
  }
}
