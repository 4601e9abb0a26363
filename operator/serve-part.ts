import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import { startHealthServer, type Check } from './observe/server.ts';

export interface ServedPart {
  part: {
    start(): Promise<void>;
    /** Ends all in order; false when something had to be called off. */
    drain(): Promise<boolean>;
  };
  log: Log;
  metrics: Metrics;
  ports: { healthPort: number; metricsPort: number };
  /** Checks of /readyz. */
  ready: Readonly<Record<string, Check>>;
  /** Lines that /healthz shows besides. */
  notes?: () => readonly string[];
  /** What the log tells of the start. */
  about: object;
}

/** Serves health and metrics, starts the part, and ends the process in order when it is told to. */
export async function servePart({ part, log, metrics, ports, ready, notes, about }: ServedPart): Promise<void> {
  const health = await startHealthServer({ port: ports.healthPort, ready, ...(notes && { notes }) });
  const scrape = await startHealthServer({
    port: ports.metricsPort,
    metrics: { contentType: metrics.contentType, text: () => metrics.text() },
  });
  const end = async (signal: string): Promise<void> => {
    log.info('ending', { signal });
    const ended = await part.drain();
    await Promise.all([health.close(), scrape.close()]);
    log.info('ended', { allReconcilesEnded: ended });
    await log.close();
    process.exit(0);
  };
  process.once('SIGTERM', signal => void end(signal));
  process.once('SIGINT', signal => void end(signal));
  log.info('starting', about);
  await part.start();
}
