import { opendir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { addressOf, type Protocol, type Socket } from './socket-table.ts';

/** Who waits at a port. */
export interface PortOwner {
  port: number;
  protocol: Protocol;
  address: string;
  /** Of the host; absent: not found, or not to be seen (that takes the capability SYS_PTRACE). */
  pid?: number;
  /** The process's name, up to 15 bytes. */
  process?: string;
}

/** The processes behind sockets. It looks at every open file of the host: only for a person who asks. */
export async function ownersOf(proc: string, sockets: readonly Socket[], signal: AbortSignal): Promise<PortOwner[]> {
  const pids = await holdersOf(proc, new Set(sockets.map(({ inode }) => inode)), signal);
  const owners = sockets.map(async ({ port, protocol, address, inode }): Promise<PortOwner> => {
    const pid = pids.get(inode);
    const process = pid === undefined ? undefined : await nameOf(proc, pid);
    return { port, protocol, address: addressOf(address), pid, process };
  });
  return (await Promise.all(owners)).sort((a, b) => a.port - b.port);
}

/** By inode, the first process that has the socket open: a server that forks shares it with its children. */
async function holdersOf(proc: string, wanted: Set<number>, signal: AbortSignal): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for await (const { name } of await opendir(proc)) {
    signal.throwIfAborted();
    if (found.size === wanted.size) break;
    if (!/^\d+$/.test(name)) continue;
    for await (const inode of socketsOf(join(proc, name, 'fd'))) {
      if (wanted.has(inode) && !found.has(inode)) found.set(inode, Number(name));
    }
  }
  return found;
}

/** Inodes of the sockets that a process has open; none when it ended, or may not be looked at. */
async function* socketsOf(directory: string): AsyncGenerator<number> {
  try {
    for await (const { name } of await opendir(directory)) {
      const target = await readlink(join(directory, name)).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined) yield Number(inode);
    }
  } catch (error) {
    if (!HIDDEN.has(String((error as { code?: unknown }).code))) throw error;
  }
}

const HIDDEN = new Set(['ENOENT', 'EACCES', 'EPERM', 'ESRCH']);

const nameOf = (proc: string, pid: number): Promise<string | undefined> =>
  readFile(join(proc, String(pid), 'comm'), 'utf8').then(
    text => text.trimEnd(),
    () => undefined,
  );
