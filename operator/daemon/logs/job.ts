import type { Clock } from '../../kube/clock.ts';
import type { Logger } from '../../kube/types.ts';
import type { FactMap } from '../fact-map.ts';
import type { HostFacts } from '../facts.ts';
import type { Job, JobResult } from '../loop.ts';
import { CleanUpFailed, NoLogRoot, type LogsCleaner } from './cleaner.ts';
import type { LogsFact } from './fact.ts';
import { reportContent } from './publish.ts';
import { deletedBy, summaryOf, type LogMode, type LogsReport } from './report.ts';

/** A long clean-up tells this often how far it is, ms. */
const PROGRESS_MS = 30_000;
/** A site that wants reports only from now on is heard while a clean-up runs, so often, ms. */
const LISTEN_MS = 1_000;

export interface LogsJobOptions {
  cleaner: LogsCleaner;
  /** `plan`: the site wants to see reports only. */
  mode: () => LogMode;
  /** ConfigMap of the report. */
  map: Pick<FactMap, 'write'>;
  facts: HostFacts;
  clock: Clock;
  log: Logger;
}

/** The clean-up of a host's logs as a job of its loop. */
export class LogsJob implements Job {
  readonly name = 'logs';
  readonly #options: LogsJobOptions;

  constructor(options: LogsJobOptions) {
    this.#options = options;
  }

  /** @throws KubeError when it is not known who names which folder: then nothing was done; system errors */
  async run(signal: AbortSignal): Promise<JobResult> {
    const { facts, log } = this.#options;
    let report: LogsReport;
    try {
      report = await this.#clean(signal);
    } catch (error) {
      if (error instanceof NoLogRoot) return { message: error.message, skipped: true };
      // The reason of the clean-up matters more than that of its report.
      if (error instanceof CleanUpFailed) await this.#publish(error.report).catch(() => undefined);
      throw error;
    }
    facts.publish('logs', factOf(report));
    const message = summaryOf(report);
    log.info('logs were cleaned up', { mode: report.mode, summary: message });
    await this.#publish(report);
    return { message };
  }

  #clean(signal: AbortSignal): Promise<LogsReport> {
    const { cleaner, mode } = this.#options;
    if (mode() === 'plan') return cleaner.plan(signal);
    let stop = (): Promise<void> => Promise.resolve();
    const whileWanted = this.#whileWanted();
    return cleaner
      .apply(AbortSignal.any([signal, whileWanted.signal]), progress => (stop = this.#tell(progress)))
      .finally(() => {
        whileWanted.end();
        return stop();
      });
  }

  /** Aborts once the site wants nothing deleted any more. */
  #whileWanted(): { signal: AbortSignal; end: () => void } {
    const { clock, mode } = this.#options;
    const abort = new AbortController();
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = clock.after(LISTEN_MS, () => {
        if (mode() === 'apply') next();
        else abort.abort(new Error('called off: logCleanUp says plan now'));
      });
    };
    next();
    return { signal: abort.signal, end: () => cancel() };
  }

  /** Not called off with the clean-up: what was done is told. */
  async #publish(report: LogsReport): Promise<void> {
    await this.#options.map.write(() => reportContent(report));
  }

  /** @returns how to stop it; it waits for what is being written, which must not come after the report at the end */
  #tell(progress: () => LogsReport): () => Promise<void> {
    const { clock } = this.#options;
    let written = Promise.resolve();
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = clock.after(PROGRESS_MS, () => {
        // What cannot be written is told by the next one, or by the report at the end.
        written = written.then(() => this.#publish(progress())).catch(() => undefined);
        next();
      });
    };
    next();
    return () => {
      cancel();
      return written;
    };
  }
}

function factOf(report: LogsReport): LogsFact {
  const { items, bytes } = deletedBy(report);
  return {
    mode: report.mode,
    deleted: items,
    deletedBytes: bytes,
    setAside: report.totals.OrphanFolder?.items ?? 0,
    compressed: report.totals.Compress?.items ?? 0,
    problems: report.problems.length + report.omitted.problems,
    ...report.disk,
  };
}
