import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while no other process of this machine runs any under the same lock. The lock is an
 * abstract socket: the kernel drops it with its holder, so a kill leaves nothing that could be stale.
 */
export async function locked<T>(name: string, work: () => Promise<T>): Promise<T> {
  const release = await acquire(name);
  try {
    return await work();
  } finally {
    release();
  }
}

async function acquire(name: string): Promise<() => void> {
  for (;;) {
    const server = createServer();
    const held = await new Promise<boolean>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') resolve(false);
        else reject(error);
      });
      server.listen(`\0polardb-stack-local/${name}`, () => resolve(true));
    });
    if (held) return () => server.close();
    await sleep(100);
  }
}
