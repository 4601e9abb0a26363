import type { PersistentVolume } from '../../kube/resources.ts';
import type { HostView } from './hosts.ts';

/** A shared volume, and what it says of the device that it is on. */
export interface SharedVolume {
  /** Of its PersistentVolume. */
  name: string;
  /** Names that the device may have in the world (WWID), each as {@link identity} gives it. */
  wwids: readonly string[];
  /** Its name in the device mapper. */
  mapName?: string;
}

/**
 * One name for the forms that a WWID comes in: a SCSI name of type NAA is `naa.6...` of the kernel's disks, `36...` of
 * the device mapper and of `scsi-` links, `0x6...` of `wwn-` links.
 */
export const identity = (wwid: string): string => wwid.toLowerCase().replace(/^(naa\.|0x)/, '3');

/** What udev names links by, before the WWID; parts of a disk are disks of nobody. */
const BY_ID = /^\/dev\/disk\/by-id\/(?:scsi-|wwn-|dm-uuid-mpath-|nvme-(?=eui\.|uuid\.|nvme\.))([^/]+?)$/;
const MAPPER = /^\/dev\/mapper\/([^/]+)$/;

/** @param volume undefined: it is gone; then only who has mounted it knows its device */
export function sharedVolumeOf(name: string, volume: PersistentVolume | undefined): SharedVolume {
  const { fc, csi } = volume?.spec ?? {};
  const path = pathOf(volume);
  // The handle is the driver's own affair; where it is a WWID, a host that sees it will show.
  const said = [...(fc?.wwids ?? []), csi?.volumeHandle, BY_ID.exec(path)?.[1]];
  const wwids = said.flatMap(wwid => (wwid === undefined ? [] : [identity(wwid)]));
  const mapName = MAPPER.exec(path)?.[1];
  return { name, wwids, ...(mapName !== undefined && { mapName }) };
}

const pathOf = (volume: PersistentVolume | undefined): string =>
  volume?.spec?.local?.path ?? volume?.spec?.hostPath?.path ?? '';

/**
 * The device of a shared volume, which is the same on all hosts: as a host that has mounted it knows, else what the
 * volume itself says, if a host sees such a device. Undefined while nobody can tell.
 */
export function wwidOf({ name, wwids, mapName }: SharedVolume, hosts: readonly HostView[]): string | undefined {
  const told = hosts.flatMap(({ volumes }) => volumes ?? []);
  for (const volumes of told) {
    const device = volumes.volume(name)?.device;
    const wwid = device === undefined ? undefined : volumes.device(device)?.wwid;
    if (wwid !== undefined) return identity(wwid);
  }
  const seen = told.flatMap(volumes => volumes.devices()).filter(({ wwid }) => wwid !== undefined);
  const named = seen.find(({ wwid }) => wwids.includes(identity(wwid!)));
  if (named) return identity(named.wwid!);
  // Where hosts give one name to different devices, it says nothing.
  const [mapped, ...others] = new Set(seen.filter(it => it.name === mapName).map(({ wwid }) => identity(wwid!)));
  return others.length === 0 ? mapped : undefined;
}
