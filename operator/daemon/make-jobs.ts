import { randomUUID } from 'node:crypto';
import { hostVolumesName, logReportName, portUsageName, versionAvailabilityName } from '../model/host.ts';
import { PROGRAM_VERSION } from '../model/version.ts';
import { HostApi } from './api/host-api.ts';
import { FactMap } from './fact-map.ts';
import { SshHostExec } from './host/ssh.ts';
import type { HostJobs, JobContext } from './jobs.ts';
import type { Job, JobName } from './loop.ts';
import { LogsCleaner } from './logs/cleaner.ts';
import { DiskWatch, readDiskUse } from './logs/disk.ts';
import { LogsJob } from './logs/job.ts';
import { readLiveInstances } from './logs/live.ts';
import { readOpenFiles } from './logs/open-files.ts';
import { logPolicy, type LogPolicy } from './logs/policy.ts';
import { MarkingJob } from './marking-job.ts';
import { NetworkJob } from './network/job.ts';
import { PortsJob } from './ports/job.ts';
import { CriImages } from './versions/cri.ts';
import { VersionsJob } from './versions/job.ts';
import { PrePull } from './versions/pre-pull.ts';
import { VolumesJob } from './volumes/job.ts';

/** The jobs of a host, with the host itself behind them. */
export function makeJobs(context: JobContext): HostJobs {
  const { config, clock, random, log, settings, facts, publishedIp, nodeAddress } = context;
  const { paths, ssh, host: name } = config;
  const host = new SshHostExec({
    ...{ host: name, settings, nodeAddress, clock, random, log, files: ssh },
  });
  const map = (job: JobName, mapName: string): FactMap =>
    new FactMap({ client: context.client, ref: { namespace: config.settingsNamespace, name: mapName }, job, clock });
  const maps = {
    ports: map('ports', portUsageName(name)),
    versions: map('versions', versionAvailabilityName(name)),
    volumes: map('volumes', hostVolumesName(name)),
  };
  const marking = (job: Job, of: FactMap): MarkingJob => new MarkingJob({ ...{ job, clock, log }, map: of });
  const ports = new PortsJob({ settings, facts, clock, proc: paths.proc, map: maps.ports });
  const { logs, cleaner, disk } = logJobs(context, map('logs', logReportName(name)));
  const { versions, prePull } = versionJobs(context, maps.versions);
  const api = apiOf(context, { ports, cleaner });
  return {
    jobs: {
      logs,
      ports: marking(ports, maps.ports),
      versions: marking(versions, maps.versions),
      network: new NetworkJob({
        ...{ settings, facts, host, clock, random },
        ...paths,
        published: publishedIp,
        leave: () => host.close(),
      }),
      volumes: marking(new VolumesJob({ ...{ facts, host, paths }, map: maps.volumes }), maps.volumes),
    },
    start() {
      disk.start();
      api.start();
    },
    async stop() {
      disk.stop();
      await Promise.all([prePull.stop(), api.stop()]);
      host.close();
    },
  };
}

function logJobs(context: JobContext, map: FactMap): { logs: LogsJob; cleaner: LogsCleaner; disk: DiskWatch } {
  const { config, client, clock, log, settings, facts, loops } = context;
  const { proc, logRoot: root } = config.paths;
  const policy = (): LogPolicy => logPolicy(config.overdueDays, settings().logLimits);
  const cleaner = new LogsCleaner({
    ...{ host: config.host, root, policy },
    readLive: signal => readLiveInstances(client, signal),
    readOpen: (device, signal) => readOpenFiles(proc, device, signal),
    readDisk: readDiskUse,
    now: () => clock.date(),
  });
  const onFull = (): void => void loops().now('logs');
  return {
    cleaner,
    logs: new LogsJob({ ...{ cleaner, map, facts, clock, log }, mode: () => settings().logMode }),
    disk: new DiskWatch({ path: root, policy, readDisk: readDiskUse, clock, onFull }),
  };
}

function versionJobs(context: JobContext, map: FactMap): { versions: VersionsJob; prePull: PrePull } {
  const { config, client, clock, random, log, settings, facts, loops } = context;
  const connect = (): CriImages => new CriImages(config.paths.criSocket);
  const prePull = new PrePull({
    ...{ client, clock, random, log, connect, host: config.host, namespace: config.systemNamespace },
    identity: `${config.podName}_${randomUUID()}`,
    settings: () => settings().prePull,
    onPulled: () => void loops().now('versions'),
  });
  return { versions: new VersionsJob({ settings, connect, map, facts, prePull }), prePull };
}

function apiOf(context: JobContext, { ports, cleaner }: { ports: PortsJob; cleaner: LogsCleaner }): HostApi {
  const { config, client, clock, log, facts, loops } = context;
  const { host, systemNamespace, podLabels, apiPort: port, tlsDirectory } = config;
  return new HostApi({
    ...{ host, systemNamespace, podLabels, port, tlsDirectory, client, clock, log, facts },
    version: PROGRAM_VERSION,
    loops: {
      get states() {
        return loops().states;
      },
      now: name => loops().now(name),
    },
    planLogs: signal => cleaner.plan(signal),
    portOwners: (wanted, signal) => ports.owners(wanted, signal),
  });
}
