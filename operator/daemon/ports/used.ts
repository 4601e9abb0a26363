import { portInRange, type PortRange } from '../../model/ports.ts';
import type { FactEdit } from '../fact-map.ts';
import type { Socket } from './socket-table.ts';

/** Text that the original writes for each port. */
const IN_USE = 'the port already use';

/** The ports of the ranges that a socket waits at, in rising order. */
export function usedPorts(sockets: readonly Socket[], ranges: readonly PortRange[]): number[] {
  const ports = new Set(sockets.map(({ port }) => port));
  return [...ports].filter(port => ranges.some(range => portInRange(port, range))).sort((a, b) => a - b);
}

/** `cloud-provider-port-usage-<host>` in the original's form. */
export function portUsage(used: readonly number[]): FactEdit {
  const data = Object.fromEntries(used.map(port => [String(port), IN_USE]));
  return (current, now) => (isSame(current?.data, data) ? undefined : { data, annotations: { updateTimestamp: now } });
}

function isSame(
  current: Readonly<Record<string, string>> | undefined,
  data: Readonly<Record<string, string>>,
): boolean {
  if (!current) return false;
  const keys = Object.keys(data);
  return keys.length === Object.keys(current).length && keys.every(key => current[key] === data[key]);
}
