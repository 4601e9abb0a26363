import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { join } from 'node:path';
import type { TlsMaterial } from '../agent-api/client.ts';
import type { TlsFiles } from '../engine/options.ts';
import type { Clock } from './clock.ts';
import { messageOf, type Log } from './log.ts';

/** Files of a mounted TLS Secret. */
export const tlsFiles = (directory: string): TlsFiles => ({
  cert: join(directory, 'tls.crt'),
  key: join(directory, 'tls.key'),
  ca: join(directory, 'ca.crt'),
});

/** @throws Error when a file is missing, or certificate and key do not fit each other */
export async function readTls(directory: string): Promise<TlsMaterial> {
  const files = tlsFiles(directory);
  const [cert, key, ca] = await Promise.all([files.cert, files.key, files.ca].map(path => readFile(path, 'utf8')));
  const tls = { cert: cert!, key: key!, ca: ca! };
  // The kubelet swaps the three at once, but our three reads may fall on both sides of it.
  createSecureContext(tls);
  return tls;
}

export interface TlsWatchOptions {
  directory: string;
  current: TlsMaterial;
  clock: Clock;
  /** Called with each new set; when it throws it is called again. */
  onRenewed: (tls: TlsMaterial) => Promise<void>;
  log: Log;
}

/** The kubelet needs up to a minute or two to bring a changed Secret; looking oftener gains nothing. */
const LOOK_MS = 10_000;

/** Looks at the files by content, because a mounted Secret is swapped by symbolic links, which watches miss. */
export function watchTls({ directory, current, clock, onRenewed, log }: TlsWatchOptions): () => void {
  let known = current;
  let stop: () => void = () => undefined;
  const look = async (): Promise<void> => {
    try {
      const now = await readTls(directory);
      if (now.cert !== known.cert || now.key !== known.key || now.ca !== known.ca) {
        await onRenewed(now);
        known = now;
        log.info('certificates renewed');
      }
    } catch (error) {
      log.warn('certificates are not renewed', { reason: messageOf(error) });
    }
    arm();
  };
  const arm = (): void => void (stop = clock.after(LOOK_MS, () => void look()));
  arm();
  return () => stop();
}
