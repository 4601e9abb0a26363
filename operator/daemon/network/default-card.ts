import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Route {
  card: string;
  metric: number;
}

/**
 * The card by which packets to everywhere leave the host: IPv4 before IPv6, the lowest metric first. Undefined when the
 * host has no default route.
 * @param proc the host's `/proc`, of a process in the host's network
 */
export async function defaultCard(proc: string): Promise<string | undefined> {
  const read = (file: string): Promise<string> => readFile(join(proc, 'self/net', file), 'utf8').catch(() => '');
  return first(defaultRoutes4(await read('route'))) ?? first(defaultRoutes6(await read('ipv6_route')));
}

const first = (routes: readonly Route[]): string | undefined => routes.toSorted((a, b) => a.metric - b.metric)[0]?.card;

const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

/** Of /proc/net/route: a heading, then card, destination, gateway, flags, two counters, metric, mask; numbers in hex, the metric in decimal. */
export const defaultRoutes4 = (text: string): Route[] =>
  rowsOf(text).flatMap(([card = '', destination, , flags, , , metric, mask]) =>
    destination === '00000000' && mask === '00000000' && isUsable(flags) ? [{ card, metric: Number(metric) }] : [],
  );

/** Of /proc/net/ipv6_route: destination and length, source and length, next hop, metric, two counters, flags, card; all in hex. */
export const defaultRoutes6 = (text: string): Route[] =>
  rowsOf(text).flatMap(([destination, length, , , , metric = '', , , flags, card = '']) =>
    Number(`0x${destination}`) === 0 && length === '00' && isUsable(flags)
      ? [{ card, metric: Number.parseInt(metric, 16) }]
      : [],
  );

const rowsOf = (text: string): string[][] =>
  text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => line.trim().split(/\s+/));

/** Hosts without IPv6 have a default route that refuses. */
function isUsable(flags = ''): boolean {
  const bits = Number.parseInt(flags, 16);
  return (bits & RTF_UP) !== 0 && (bits & RTF_REJECT) === 0;
}
