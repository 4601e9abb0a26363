import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleProgram, type ProgramFile } from './program.ts';

/** The program of the image. */
export interface Program {
  /** Digest of its files. */
  digest: string;
  files: () => Promise<ProgramFile[]>;
}

/** What was bundled last from one directory. */
interface Memo {
  inputs: string[];
  /** Digest of all that decides what the bundle is. */
  source: string;
  digest: string;
}

/**
 * The program as the source is now. Bundling takes seconds and most starts find the source unchanged: what its digest
 * was is kept in the cache, beside the list of files that made it.
 */
export async function currentProgram(root: string, cache: string): Promise<Program> {
  const file = join(cache, `bundled-${sha256(root).slice(0, 16)}.json`);
  const known = await readMemo(file);
  if (known && known.source === (await digestOfSource(root, known.inputs))) {
    return { digest: known.digest, files: () => bundleAgain(root, known.digest) };
  }
  const began = Date.now();
  const bundles = await bundleProgram(root);
  const digest = digestOf(bundles.files);
  const inputs = bundles.inputs.filter(input => !input.startsWith('node_modules/'));
  const source = await digestOfSource(root, inputs);
  // What was edited meanwhile may or may not be what was bundled.
  if (source !== undefined && (await lastChange(root, inputs)) < began) {
    await writeFile(file, JSON.stringify({ inputs, source, digest } satisfies Memo));
  }
  return { digest, files: () => Promise.resolve(bundles.files) };
}

async function bundleAgain(root: string, digest: string): Promise<ProgramFile[]> {
  const { files } = await bundleProgram(root);
  if (digestOf(files) === digest) return files;
  throw new Error('the source changed while the image was made: run it again');
}

async function lastChange(root: string, inputs: readonly string[]): Promise<number> {
  const times = await Promise.all(inputs.map(async input => (await stat(join(root, input))).mtimeMs));
  return Math.max(...times);
}

async function readMemo(file: string): Promise<Memo | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Memo;
  } catch {
    // None yet, or one that was not written to its end: then it is made anew.
    return undefined;
  }
}

/** Packages are known by the lock file, how it is bundled by the source of that; undefined when a file is gone. */
async function digestOfSource(root: string, inputs: readonly string[]): Promise<string | undefined> {
  const paths = ['package-lock.json', ...inputs].map(input => join(root, input));
  try {
    const recipe = await readFile(join(import.meta.dirname, 'program.ts'), 'utf8');
    const texts = await Promise.all(paths.map(path => readFile(path, 'utf8')));
    return sha256(JSON.stringify([recipe, ...texts]));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const digestOf = (files: readonly ProgramFile[]): string => sha256(JSON.stringify(files));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
