import type { Clock } from '../kube/clock.ts';
import { isServerDown } from '../kube/errors.ts';
import type { Logger } from '../kube/types.ts';
import { FAILURES_THAT_COUNT } from './conditions.ts';
import type { FactMap } from './fact-map.ts';
import { DaemonEnds, type Job, type JobName, type JobResult } from './loop.ts';

export interface MarkingJobOptions {
  job: Job;
  /** What the job publishes; a run that does its work writes it, which takes the mark away. */
  map: Pick<FactMap, 'tellStale'>;
  clock: Clock;
  log: Logger;
}

/** A mark that cannot be written soon is written after the next failure, ms. */
const LIMIT_MS = 5_000;

/**
 * A job whose map says when it is not kept up any more: the job fails again and again, takes longer than it may, or is
 * switched off. A server that is away needs no mark: the host's sign of life tells the age of everything then.
 */
export class MarkingJob implements Job {
  readonly name: JobName;
  readonly #options: MarkingJobOptions;
  #failures = 0;
  #keptUp: Date | undefined;
  /** Why it is not kept up now. */
  #why: string | undefined;

  constructor(options: MarkingJobOptions) {
    this.name = options.job.name;
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<JobResult> {
    const { job, clock } = this.#options;
    const calledOff = (): void => void this.#mark(signal.reason);
    signal.addEventListener('abort', calledOff, { once: true });
    try {
      const result = await job.run(signal);
      this.#failures = 0;
      this.#why = undefined;
      if (result.skipped === true) await this.#mark(new Error(result.message));
      else this.#keptUp = clock.date();
      return result;
    } catch (error) {
      if (!signal.aborted && ++this.#failures >= FAILURES_THAT_COUNT) await this.#mark(error);
      throw error;
    } finally {
      signal.removeEventListener('abort', calledOff);
    }
  }

  /** Never rejects. */
  async #mark(cause: unknown): Promise<void> {
    if (cause instanceof DaemonEnds || isServerDown(cause)) return;
    const { map, clock, log } = this.#options;
    this.#why = cause instanceof Error ? cause.message : String(cause);
    const since = (this.#keptUp ?? clock.date()).toISOString();
    const said = (): string | undefined => (this.#why === undefined ? undefined : `${since} ${this.#why}`);
    try {
      await map.tellStale(said, AbortSignal.timeout(LIMIT_MS));
    } catch (error) {
      log.warn('what is published cannot be marked as stale', { job: this.name, error });
    }
  }
}
