import type { PortRange } from '../../model/ports.ts';

/** Which ports of the watched ranges are in use on this host. */
export interface PortsFact {
  /** In rising order. */
  used: readonly number[];
  /** What was looked at. */
  ranges: readonly PortRange[];
  /** The part of the ranges that the kernel gives to outgoing connections, too: an engine's port may be taken by one. */
  ephemeral: readonly PortRange[];
}
