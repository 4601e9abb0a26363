import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, type Clock } from '../../kube/clock.ts';
import { portInRange, type PortRange } from '../../model/ports.ts';
import type { FactMap } from '../fact-map.ts';
import type { HostFacts } from '../facts.ts';
import type { Job, JobResult } from '../loop.ts';
import type { DaemonSettings } from '../settings.ts';
import { ephemeralPart } from './ephemeral.ts';
import { ownersOf, type PortOwner } from './owners.ts';
import { readSockets, TABLES, type Protocol, type Socket } from './socket-table.ts';
import { portUsage, usedPorts } from './used.ts';

export interface PortsJobOptions {
  /** The host's `/proc`. */
  proc: string;
  settings: () => Pick<DaemonSettings, 'isPortPrintingOn' | 'portRanges'>;
  map: Pick<FactMap, 'write'>;
  facts: Pick<HostFacts, 'publish'>;
  clock: Clock;
}

/** A socket of a client that asks something over UDP is gone after this time, ms; a server's is still there. */
const CLIENT_MS = 1_000;

/** Tells which ports of the site's ranges are in use on this host, out of the kernel's own tables. */
export class PortsJob implements Job {
  readonly name = 'ports';
  readonly #options: PortsJobOptions;
  /** Inodes of UDP sockets that have stayed. */
  #servers: ReadonlySet<number> = new Set();

  constructor(options: PortsJobOptions) {
    this.#options = options;
  }

  /** @throws Error when a table cannot be read: what was published before stays */
  async run(signal: AbortSignal): Promise<JobResult> {
    const { settings, map, facts } = this.#options;
    const { isPortPrintingOn, portRanges: ranges } = settings();
    if (!isPortPrintingOn) return { message: 'switched off by enablePrintPort', skipped: true };
    if (!ranges) throw new Error('the port ranges are not known: ConfigMap polardb4mpd-controller is not there');
    const ephemeral = await this.#ephemeral(ranges);
    const used = usedPorts(await this.#waiting(ephemeral, signal), ranges);
    facts.publish('ports', { used, ranges, ephemeral });
    await map.write(portUsage(used), signal);
    // What was in use in ranges that are watched no more is told no more.
    if (ranges.length === 0) return { message: 'polardb4mpd-controller names no port range' };
    return { message: messageOf(used.length, ephemeral) };
  }

  /** Who waits at each of these ports; none for a port that nobody waits at. */
  async owners(ports: readonly number[], signal: AbortSignal): Promise<PortOwner[]> {
    const sockets = await this.#sockets(['tcp', 'udp'], signal);
    const wanted = sockets.filter(({ port }) => ports.includes(port));
    return ownersOf(this.#options.proc, wanted, signal);
  }

  /** All waiting sockets, without those of UDP clients that happen to have a port of the ranges for a moment. */
  async #waiting(ephemeral: readonly PortRange[], signal: AbortSignal): Promise<Socket[]> {
    const sockets = await this.#sockets(['tcp', 'udp'], signal);
    const isDoubtful = ({ protocol, port, inode }: Socket): boolean =>
      protocol === 'udp' && !this.#servers.has(inode) && ephemeral.some(range => portInRange(port, range));
    if (!sockets.some(isDoubtful)) return this.#remember(sockets);
    await sleep(this.#options.clock, CLIENT_MS, signal);
    signal.throwIfAborted();
    const later = new Set((await this.#sockets(['udp'], signal)).map(({ inode }) => inode));
    return this.#remember(sockets.filter(socket => !isDoubtful(socket) || later.has(socket.inode)));
  }

  #remember(sockets: Socket[]): Socket[] {
    this.#servers = new Set(sockets.filter(({ protocol }) => protocol === 'udp').map(({ inode }) => inode));
    return sockets;
  }

  /** Of our own network, which is the host's. */
  async #sockets(protocols: readonly Protocol[], signal: AbortSignal): Promise<Socket[]> {
    const tables = TABLES.filter(({ protocol }) => protocols.includes(protocol));
    const read = ({ file, protocol }: (typeof TABLES)[number]): Promise<Socket[]> =>
      readSockets(join(this.#options.proc, 'self/net', file), protocol, signal);
    return (await Promise.all(tables.map(read))).flat();
  }

  async #ephemeral(ranges: readonly PortRange[]): Promise<PortRange[]> {
    const read = (name: string): Promise<string> =>
      readFile(join(this.#options.proc, 'sys/net/ipv4', name), 'utf8').catch(() => '');
    return ephemeralPart(ranges, await read('ip_local_port_range'), await read('ip_local_reserved_ports'));
  }
}

function messageOf(count: number, ephemeral: readonly PortRange[]): string {
  const inUse = `${count} of the watched ports in use`;
  if (ephemeral.length === 0) return inUse;
  const list = ephemeral.map(({ first, last }) => `${first}-${last}`).join(',');
  return `${inUse}; outgoing connections get ports of ${list}, too: reserve them by net.ipv4.ip_local_reserved_ports`;
}
