/** A volume or multipath device that this host sees. */
export interface SeenVolume {
  /** Kernel name, `dm-3` or `sdb`. */
  device: string;
  /** Name of the map (`mpatha`), where it is one. */
  name?: string;
  wwid?: string;
  sizeBytes: number;
  health: 'healthy' | 'degraded' | 'failed' | 'unknown';
}

export interface VolumesFact {
  volumes: readonly SeenVolume[];
}
