import type { BlockDevice } from './block-devices.ts';
import type { Health, SeenDevice, SeenVolume } from './fact.ts';
import type { VolumeMount } from './mounts.ts';
import type { MapPaths } from './multipath.ts';

const MULTIPATH = 'mpath-';

/** Of drivers/scsi/scsi_sysfs.c and drivers/nvme/host/sysfs.c. */
const HEALTH_OF_STATE: Readonly<Record<string, Health>> = {
  running: 'healthy',
  live: 'healthy',
  blocked: 'degraded',
  'created-blocked': 'degraded',
  quiesce: 'degraded',
  connecting: 'degraded',
  resetting: 'degraded',
  offline: 'failed',
  'transport-offline': 'failed',
  cancel: 'failed',
  deleted: 'failed',
  deleting: 'failed',
  dead: 'failed',
};

const healthOfState = (state: string): Health => HEALTH_OF_STATE[state] ?? 'unknown';

/** Of drivers/nvme/host/multipath.c; an array without ANA says nothing, and all its paths are alike. */
const REACHED_BY = new Set(['', 'optimized', 'non-optimized']);

/**
 * The disks and multipath devices among these, in order of their names. Disks that are paths are no devices of their own.
 * @param multipaths what the multipath daemon says, by map; undefined: it could not be asked, the disks' states count
 */
export function seenDevices(
  devices: readonly BlockDevice[],
  multipaths: ReadonlyMap<string, MapPaths> | undefined,
): SeenDevice[] {
  const byName = new Map(devices.map(device => [device.name, device]));
  const maps = devices.filter(({ mapUuid }) => mapUuid.startsWith(MULTIPATH));
  const isPath = new Set(maps.flatMap(({ lower }) => lower));
  const disks = devices.filter(({ name, isPhysical, isHidden, sizeBytes }) => {
    return isPhysical && !isHidden && sizeBytes > 0 && !isPath.has(name);
  });
  const seen = [
    ...maps.map(map => {
      const paths = multipaths?.get(map.mapName) ?? pathsBelow(map, byName);
      return multipathOf(map, { name: map.mapName, wwid: map.mapUuid.slice(MULTIPATH.length), paths });
    }),
    ...disks.map(disk => nvmeOf(disk, devices) ?? diskOf(disk)),
  ];
  return seen.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function pathsBelow({ lower }: BlockDevice, byName: ReadonlyMap<string, BlockDevice>): MapPaths {
  const active = lower.filter(name => healthOfState(byName.get(name)?.state ?? '') === 'healthy');
  return { total: lower.length, active: active.length };
}

/** The kernel itself joins paths of NVMe: those of `nvme0n1` are `nvme0c0n1`, `nvme0c1n1` ... */
function nvmeOf(disk: BlockDevice, devices: readonly BlockDevice[]): SeenDevice | undefined {
  const [, subsystem, namespace] = /^(nvme\d+)(n\d+)$/.exec(disk.name) ?? [];
  if (!subsystem || !namespace) return undefined;
  const name = new RegExp(`^${subsystem}c\\d+${namespace}$`);
  const below = devices.filter(device => device.isHidden && name.test(device.name));
  if (below.length === 0) return undefined;
  const active = below.filter(({ state, accessState }) => state === 'live' && REACHED_BY.has(accessState));
  const paths = { total: below.length, active: active.length };
  return multipathOf(disk, { name: disk.name, wwid: disk.wwid || undefined, paths });
}

function multipathOf(
  { sizeBytes, isReadOnly }: BlockDevice,
  { name, wwid, paths }: { name: string; wwid: string | undefined; paths: MapPaths },
): SeenDevice {
  const health = paths.active === 0 ? 'failed' : paths.active < paths.total ? 'degraded' : 'healthy';
  return { name, kind: 'multipath', wwid, sizeBytes, isReadOnly, health, paths };
}

function diskOf({ name, wwid, sizeBytes, isReadOnly, state }: BlockDevice): SeenDevice {
  return { name, kind: 'disk', wwid: wwid || undefined, sizeBytes, isReadOnly, health: healthOfState(state) };
}

/** The volumes of these mounts with the devices that they are on. */
export function seenVolumes(
  mounts: readonly VolumeMount[],
  devices: readonly BlockDevice[],
  seen: readonly SeenDevice[],
): SeenVolume[] {
  const byNumber = new Map(devices.map(device => [device.number, device]));
  const bySeenName = new Map(seen.map(device => [device.name, device]));
  return mounts.map(({ volume, fsType, source, number, isBroken }) => {
    const block = byNumber.get(number);
    const device = block && bySeenName.get(block.mapName || block.name);
    const health = isBroken ? 'failed' : (device?.health ?? 'unknown');
    return { name: volume, fsType, source, device: device?.name, health };
  });
}
