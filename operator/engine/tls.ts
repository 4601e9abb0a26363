import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePrivateDirectory, writeIfChanged } from './files.ts';
import type { TlsFiles } from './options.ts';
import type { OsUser } from './programs.ts';

/** The engine's own copies of certificate, key and CA. */
export const tlsCopies = (directory: string): TlsFiles => ({
  cert: join(directory, 'server.crt'),
  key: join(directory, 'server.key'),
  ca: join(directory, 'ca.crt'),
});

/**
 * Copies the mounted files for the engine, which takes a key only when it owns it (mode 600) or root does (640): a
 * mounted Secret fits neither on every cluster. A renewal that is caught half way is mended by the next call; until
 * then the engine keeps the pair it has loaded. Returns whether anything was new.
 */
export async function copyTls(source: TlsFiles, directory: string, owner?: OsUser): Promise<boolean> {
  await ensurePrivateDirectory(directory, owner);
  const target = tlsCopies(directory);
  let renewed = false;
  for (const part of ['key', 'cert', 'ca'] as const) {
    renewed = (await writeIfChanged(target[part], await readFile(source[part], 'utf8'), owner)) || renewed;
  }
  return renewed;
}
