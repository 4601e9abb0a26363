/** Which ports of the watched ranges are in use on this host. */
export interface PortsFact {
  /** In rising order. */
  used: readonly number[];
}
