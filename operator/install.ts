import { cp } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Copies runtime, programs and helpers of this image to a directory that the engine container shares (design: the engine
 * image stays the user's own). The tree is the folder above the program's own.
 */
export async function installTree(target: string, source = dirname(import.meta.dirname)): Promise<void> {
  await cp(source, target, { recursive: true, force: true, preserveTimestamps: true });
}
