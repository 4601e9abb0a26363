import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A block device as the kernel shows it below `/sys/block` (sysfs-block of the kernel's ABI). */
export interface BlockDevice {
  /** Kernel name. */
  name: string;
  /** `major:minor`. */
  number: string;
  sizeBytes: number;
  isReadOnly: boolean;
  /** Hardware stands behind it, not another block device or a file. */
  isPhysical: boolean;
  /** A path of a multipath NVMe device, not to be used by itself. */
  isHidden: boolean;
  /** Name and UUID of the device mapper; empty for others. */
  mapName: string;
  mapUuid: string;
  wwid: string;
  /** Of SCSI (`running`, `offline` ...) or NVMe (`live`, `connecting` ...); empty where the driver has none. */
  state: string;
  /** Of a path of NVMe: what the array says of it (`optimized`, `inaccessible` ...); empty where it says nothing. */
  accessState: string;
  /** Kernel names of the devices below it. */
  lower: readonly string[];
}

/** The kernel counts in sectors of this size whatever the device has. */
const SECTOR_BYTES = 512;
/** Memory and files that look like disks; CD drives. */
const NO_DISK = /^(loop|ram|zram|nbd|sr|fd|md)\d/;

/** All block devices of the host but those that are no disks. @throws Error when `/sys/block` cannot be read */
export async function readBlockDevices(sys: string, signal: AbortSignal): Promise<BlockDevice[]> {
  const names = (await readdir(join(sys, 'block'))).filter(name => !NO_DISK.test(name)).sort();
  const devices: BlockDevice[] = [];
  for (const name of names) {
    signal.throwIfAborted();
    const device = await readDevice(join(sys, 'block', name), name);
    if (device) devices.push(device);
  }
  return devices;
}

/** Undefined when it went while it was read. */
async function readDevice(directory: string, name: string): Promise<BlockDevice | undefined> {
  const read = (file: string): Promise<string> =>
    readFile(join(directory, file), 'utf8').then(
      text => text.trim(),
      () => '',
    );
  const list = (sub: string): Promise<string[]> => readdir(join(directory, sub)).catch(() => []);
  const [number, size, ro, hidden] = await Promise.all(['dev', 'size', 'ro', 'hidden'].map(read));
  if (!size) return undefined;
  const [mapName = '', mapUuid = '', state = '', accessState = ''] = await Promise.all(
    ['dm/name', 'dm/uuid', 'device/state', 'ana_state'].map(read),
  );
  return {
    // The kernel writes `!` for a slash of a name.
    name: name.replaceAll('!', '/'),
    number: number ?? '',
    sizeBytes: Number(size) * SECTOR_BYTES,
    isReadOnly: ro === '1',
    isPhysical: (await list('device')).length > 0,
    isHidden: hidden === '1',
    mapName,
    mapUuid,
    // SCSI has it at the device, NVMe at the disk; virtio has what the hypervisor was told.
    wwid: (await read('device/wwid')) || (await read('wwid')) || (await read('serial')),
    state,
    accessState,
    lower: await list('slaves'),
  };
}
