import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { Logger } from '../kube/types.ts';
import type { DaemonConfig } from './config.ts';
import type { HostFacts } from './facts.ts';
import type { Job, JobName } from './loop.ts';
import type { Loops } from './loops.ts';
import type { DaemonSettings } from './settings.ts';

/** What the jobs of a host are made of. */
export interface JobContext {
  config: DaemonConfig;
  client: KubeClient;
  settings: () => DaemonSettings;
  facts: HostFacts;
  /** The address that the node's condition names for a card. */
  publishedIp: (card: string) => string | undefined;
  /** Address of the own node inside the cluster (`InternalIP`). */
  nodeAddress: () => string | undefined;
  /** The loops that the jobs will run in. */
  loops: () => Loops;
  clock: Clock;
  random: () => number;
  log: Logger;
}

/** The jobs, and what else runs for them. */
export interface HostJobs {
  jobs: Readonly<Record<JobName, Job>>;
  start(): void;
  stop(): Promise<void>;
}
