import { isIP } from 'node:net';
import { CONTROLLER_MAP } from '../settings/network.ts';
import type { SettingsMap, SettingsProblem } from '../settings/types.ts';
import { BadValue, MapReader, parseCount } from '../settings/values.ts';

/** Where the sshd of each host listens. */
export interface SshdPlace {
  /** An address of the loopback, or {@link NODE_ADDRESS}. */
  address: string;
  port: number;
}

/** Instead of an address: the one of this name that the node has, of an sshd that listens there alone. */
export const NODE_ADDRESS = 'InternalIP';

/** As in the original, which asked 127.0.0.1 and knew one port. */
const DEFAULT: SshdPlace = { address: '127.0.0.1', port: 22 };

/** Reads `sshAddress` and `sshPort` of `controller-config`. */
export function readSshdPlace(map: SettingsMap | undefined, problems: SettingsProblem[], last = DEFAULT): SshdPlace {
  const reader = new MapReader(map, CONTROLLER_MAP, problems);
  return {
    address: reader.read('sshAddress', parseAddress, { absent: DEFAULT.address, last: last.address }),
    port: reader.read('sshPort', parsePort, { absent: DEFAULT.port, last: last.port }),
  };
}

/** One map is for all hosts: an address that only one of them has would bring the others to a foreign sshd. */
function parseAddress(text: string): string {
  const address = text.trim();
  const isLoopback = address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
  if (isLoopback || address === NODE_ADDRESS) return address;
  throw new BadValue(`"${text}" is no address that each host has`, `write 127.0.0.1, ::1 or ${NODE_ADDRESS}`);
}

function parsePort(text: string): number {
  const port = parseCount(text);
  if (port < 1 || port > 65_535) throw new BadValue(`${port} is no port`, 'write 1 to 65535');
  return port;
}
