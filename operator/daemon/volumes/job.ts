import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FactMap } from '../fact-map.ts';
import type { HostFacts } from '../facts.ts';
import type { HostExec } from '../host/host-exec.ts';
import type { Job, JobResult } from '../loop.ts';
import { readBlockDevices, type BlockDevice } from './block-devices.ts';
import type { SeenDevice, SeenVolume, VolumesFact } from './fact.ts';
import { seenDevices, seenVolumes } from './judge.ts';
import { volumeMounts } from './mounts.ts';
import { parseMultipaths, type MapPaths } from './multipath.ts';
import { volumesMap } from './publish.ts';

export interface VolumesJobOptions {
  /** The host's `/proc` and `/sys`. */
  paths: { proc: string; sys: string };
  host: HostExec;
  map: Pick<FactMap, 'write'>;
  facts: Pick<HostFacts, 'publish'>;
}

/**
 * Tells which disks, multipath devices and mounted volumes this host sees, and how they are. It only reads, and nothing
 * of the volumes themselves: a dead NFS server or array would hold up the reader for ever.
 */
export class VolumesJob implements Job {
  readonly name = 'volumes';
  readonly #options: VolumesJobOptions;

  constructor(options: VolumesJobOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<JobResult> {
    const { paths, map, facts } = this.#options;
    const blocks = await readBlockDevices(paths.sys, signal);
    const mounts = volumeMounts(await readFile(join(paths.proc, '1/mountinfo'), 'utf8'));
    const { multipaths, gaps } = await this.#multipaths(blocks, signal);
    const devices = seenDevices(blocks, multipaths);
    const fact: VolumesFact = { devices, volumes: seenVolumes(mounts, blocks, devices), gaps };
    facts.publish('volumes', fact);
    await map.write(volumesMap(fact), signal);
    return { message: messageOf(fact) };
  }

  /** The state of paths as the host's multipath daemon has it; a host without multipath devices is not asked. */
  async #multipaths(
    blocks: readonly BlockDevice[],
    signal: AbortSignal,
  ): Promise<{ multipaths?: Map<string, MapPaths>; gaps: string[] }> {
    if (!blocks.some(({ mapUuid }) => mapUuid.startsWith('mpath-'))) return { gaps: [] };
    const result = await this.#options.host.run({ name: 'multipaths' }, signal);
    signal.throwIfAborted();
    const gap = (why: string) => ({ gaps: [`paths are judged by the states of their disks: ${why}`] });
    switch (result.kind) {
      case 'off':
        return gap(result.why);
      case 'lost':
        return gap('no host commands, the connection is lost');
      case 'timeout':
        return gap('multipathd does not answer');
      case 'exit':
        if (result.code !== 0) return gap(`multipathd: exit code ${result.code}`);
    }
    try {
      return { multipaths: parseMultipaths(result.stdout), gaps: [] };
    } catch {
      return gap('multipathd said something that cannot be read');
    }
  }
}

function messageOf({ devices, volumes, gaps }: VolumesFact): string {
  const bad = [...devices, ...volumes].filter(isBad).map(({ name, health }) => `${name} ${health}`);
  return [`${devices.length} devices, ${volumes.length} volumes mounted`, ...bad, ...gaps].join('; ');
}

const isBad = ({ health }: SeenDevice | SeenVolume): boolean => health === 'degraded' || health === 'failed';
