import { join } from 'node:path';
import type { DaemonConfig } from './daemon/config.ts';
import { HostDaemon } from './daemon/daemon.ts';
import { formerFlagsIn } from './daemon/former-flags.ts';
import { makeJobs } from './daemon/make-jobs.ts';
import { KubeClient } from './kube/client.ts';
import { findCredentials, type CredentialSource } from './kube/credentials.ts';
import { createLog, type LogLevel } from './observe/log.ts';
import { Metrics } from './observe/metrics.ts';
import { servePart } from './serve-part.ts';

export interface DaemonOptions {
  currentNodeName?: string;
  kubeconfig?: string;
  master?: string;
  dbclusterLogDir: string;
  insFolderOverdueDays: number;
  port: number;
  polarstackDaemonPodLabels: string;
  coreVersionCmLabels: string;
  mpdControllerCmName: string;
  settingsNamespace: string;
  hostRoot: string;
  criSocket: string;
  sshFiles: string;
  tlsFiles: string;
  healthPort: number;
  metricsPort: number;
  logLevel: LogLevel;
}

/** Runs the part `daemon` until it is told to end. @throws Error when nobody says which host this is */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const log = createLog({ part: 'daemon', level: options.logLevel });
  for (const { flag, why } of formerFlagsIn(process.argv)) log.warn('a flag means nothing any more', { flag, why });
  const config = configOf(options, process.env);
  const metrics = new Metrics();
  metrics.collectProcess();
  const client = new KubeClient({
    credentials: credentialsOf(options),
    fieldManager: 'polardb-stack-daemon',
    hooks: [metrics.apiCalls(options.master ?? process.env.KUBERNETES_SERVICE_HOST ?? '')],
  });
  const daemon: HostDaemon = new HostDaemon({
    ...{ client, log, metrics, config, makeJobs },
    registry: metrics.registry,
  });
  await servePart({
    ...{ part: daemon, log, metrics },
    ports: options,
    ready: { watches: () => daemon.lack },
    notes: () => daemon.notes,
    about: { host: config.host, logRoot: config.paths.logRoot },
  });
}

/** An address given by hand goes before that of the credentials. */
function credentialsOf({ kubeconfig, master }: DaemonOptions): CredentialSource {
  const found = findCredentials(kubeconfig === undefined ? {} : { kubeconfig });
  return master === undefined ? found : async () => ({ ...(await found()), server: master.replace(/\/$/, '') });
}

function configOf(options: DaemonOptions, env: NodeJS.ProcessEnv): DaemonConfig {
  const host = options.currentNodeName ?? env['CURRENT_NODE_NAME'];
  if (!host) throw new Error('no name of this host: set CURRENT_NODE_NAME or --current-node-name');
  const { hostRoot, sshFiles } = options;
  return {
    host,
    settingsNamespace: options.settingsNamespace,
    systemNamespace: env['POD_NAMESPACE'] ?? 'polardb-system',
    podName: env['POD_NAME'] ?? `polardb-stack-daemon-${host}`,
    paths: {
      proc: join(hostRoot, 'proc'),
      sys: join(hostRoot, 'sys'),
      logRoot: options.dbclusterLogDir,
      criSocket: options.criSocket,
    },
    ssh: { key: join(sshFiles, 'ssh-privatekey'), knownHosts: join(sshFiles, 'known_hosts') },
    tlsDirectory: options.tlsFiles,
    apiPort: options.port,
    overdueDays: options.insFolderOverdueDays,
    podLabels: options.polarstackDaemonPodLabels,
    portsMap: options.mpdControllerCmName,
    versionLabels: options.coreVersionCmLabels,
  };
}
