/** `unknown`: nothing that could be read says how it is. */
export type Health = 'healthy' | 'degraded' | 'failed' | 'unknown';

/** A disk, or a multipath device with its disks as paths, that this host sees. */
export interface SeenDevice {
  /** Name of the multipath map (`mpatha`), else that of the kernel (`sdb`, `nvme0n1`). */
  name: string;
  kind: 'disk' | 'multipath';
  /** What the device says of itself, the same on every host that sees it. */
  wwid?: string;
  sizeBytes: number;
  isReadOnly: boolean;
  health: Health;
  /** Of a multipath device. */
  paths?: { total: number; active: number };
}

/** A volume of Kubernetes that is mounted on this host. */
export interface SeenVolume {
  /** Name of the PersistentVolume, or of an ephemeral volume in its pod. */
  name: string;
  fsType: string;
  /** A device, or `server:/export`. */
  source: string;
  /** Name of the SeenDevice that it is on, where it is on one. */
  device?: string;
  /** `failed` also when its file system became read-only by itself: that is what ext4 does after an error. */
  health: Health;
}

export interface VolumesFact {
  devices: readonly SeenDevice[];
  volumes: readonly SeenVolume[];
  /** What could not be found out, and why. */
  gaps: readonly string[];
}
