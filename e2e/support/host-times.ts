/** Longest way from a change on a host to where it can be read: the period of the loop, and a slow machine. */
const within = (periodMs: number): number => periodMs * 1.1 + 5_000;

export const NETWORK_MS = within(3_000);
export const PORTS_MS = within(60_000);
/** Of the sign of life. */
export const HEARTBEAT_MS = within(30_000);
