import * as z from 'zod';
import type { ConfigMap } from '../../kube/resources.ts';
import { hostVolumeKey } from '../../model/host.ts';

const health = z.enum(['healthy', 'degraded', 'failed', 'unknown']).catch('unknown');
const seenDevice = z.object({ wwid: z.string().optional(), health });
const seenVolume = z.object({ device: z.string().optional(), health });

export type SeenDevice = z.output<typeof seenDevice> & { name: string };
export type SeenVolume = z.output<typeof seenVolume>;

/** Disks and volumes as the daemon of a host sees them: a key for each, its value one line of JSON. */
export interface HostVolumes {
  device(name: string): SeenDevice | undefined;
  devices(): SeenDevice[];
  /** A volume that is mounted there, by the name of its PersistentVolume. */
  volume(name: string): SeenVolume | undefined;
}

const DEVICE = hostVolumeKey('device', '');

/** A value that cannot be read tells nothing, as if it were not there. */
export function hostVolumes({ data = {} }: ConfigMap): HostVolumes {
  const device = (key: string): SeenDevice | undefined => {
    const found = parsed(seenDevice, data[key]);
    return found && { ...found, name: key.slice(DEVICE.length) };
  };
  return {
    device: name => device(hostVolumeKey('device', name)),
    devices: () =>
      Object.keys(data)
        .filter(key => key.startsWith(DEVICE))
        .flatMap(key => device(key) ?? []),
    volume: name => parsed(seenVolume, data[hostVolumeKey('volume', name)]),
  };
}

function parsed<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
