import { open } from 'node:fs/promises';

/** The host's socket tables, `/proc/<pid>/net/{tcp,tcp6,udp,udp6}` (proc(5)). */

export type Protocol = 'tcp' | 'udp';

/** A socket that waits for what others send to its port: a TCP listener, or a UDP socket without a fixed peer. */
export interface Socket {
  protocol: Protocol;
  port: number;
  /** Local address as the kernel writes it; see addressOf. */
  address: string;
  inode: number;
}

export const TABLES = [
  { file: 'tcp', protocol: 'tcp' },
  { file: 'tcp6', protocol: 'tcp' },
  { file: 'udp', protocol: 'udp' },
  { file: 'udp6', protocol: 'udp' },
] as const;

/** States TCP_LISTEN and TCP_CLOSE of the kernel; a UDP socket that has no peer is in the latter. */
const WAITING: Readonly<Record<Protocol, string>> = { tcp: '0A', udp: '07' };
const CHUNK_BYTES = 64 * 1024;

/** `sl: local rem st tx:rx tr:when retrnsmt uid timeout inode ...` */
const lines = (state: string): RegExp =>
  new RegExp(String.raw`^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F:]+ ${state} \S+ \S+ \S+ +\d+ +\d+ (\d+)`, 'gm');

/** The waiting sockets among whole lines of a table; whatever is no line of a socket is passed over. */
export function socketsIn(text: string, protocol: Protocol): Socket[] {
  return Array.from(text.matchAll(lines(WAITING[protocol])), ([, address = '', port = '', inode]) => ({
    protocol,
    port: Number.parseInt(port, 16),
    address,
    inode: Number(inode),
  }));
}

/**
 * The waiting sockets of one table, read bit by bit: a host with a hundred thousand connections has 15 MB of it.
 * A table that is not there is empty: hosts without IPv6 have none of it.
 */
export async function readSockets(path: string, protocol: Protocol, signal: AbortSignal): Promise<Socket[]> {
  const file = await open(path).catch((error: unknown) => {
    if (isAbsent(error) && path.endsWith('6')) return undefined;
    throw error;
  });
  if (!file) return [];
  try {
    const found: Socket[] = [];
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let rest = ''; ;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES);
      const text = rest + buffer.toString('latin1', 0, bytesRead);
      // The last line may go on in the next piece.
      const end = bytesRead === 0 ? text.length : text.lastIndexOf('\n') + 1;
      found.push(...socketsIn(text.slice(0, end), protocol));
      if (bytesRead === 0) return found;
      rest = text.slice(end);
    }
  } finally {
    await file.close();
  }
}

const isAbsent = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOENT';

/** `0100007F` is 127.0.0.1: the kernel prints words of 32 bits in the order of its own bytes (little-endian here). */
export function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap(word => [...Buffer.from(word, 'hex').reverse()]);
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, n) => ((bytes[2 * n]! << 8) | bytes[2 * n + 1]!).toString(16));
  // The short form, as everybody writes it.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
