import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { installTools } from '../kubernetes/machine-check.ts';
import { cacheRoot, projectRoot } from '../kubernetes/paths.ts';
import { step, type Report } from '../kubernetes/progress.ts';
import { run } from '../kubernetes/run.ts';

const tools = [
  { file: '/usr/bin/tini-static', package: 'tini' },
  { file: '/bin/busybox', package: 'busybox-static' },
  { file: '/usr/bin/strip', package: 'binutils' },
];

/**
 * Everything of the image but our own program, as a directory: Node.js with its loader and
 * libraries, and two static helpers. Made once per version of these.
 */
export async function runtimeTree(report: Report): Promise<{ directory: string; digest: string }> {
  await installTools(tools, report);
  const node = join(projectRoot, 'node_modules/node/bin/node');
  const libraries = parseLibraries(await run('ldd', [node]));
  const sources = [node, '/usr/bin/tini-static', '/bin/busybox', ...libraries];
  const digest = await digestOf(sources);
  const directory = join(cacheRoot, 'images', `runtime-${digest}`);
  if (!existsSync(directory)) {
    await step(report, `Node.js ${process.versions.node} with its libraries`, () =>
      assemble(directory, node, libraries),
    );
  }
  return { directory, digest };
}

/** Paths of the shared libraries and of the loader in the output of ldd(1). */
export function parseLibraries(output: string): string[] {
  const missing = /^\s*(\S+) => not found/m.exec(output);
  if (missing) throw new Error(`the library ${missing[1] ?? ''} of Node.js is missing on this machine`);
  return output.split('\n').flatMap(line => /^\s*(?:\S+ => )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

async function assemble(directory: string, node: string, libraries: readonly string[]): Promise<void> {
  await mkdir(join(cacheRoot, 'images'), { recursive: true });
  const temporary = await mkdtemp(join(cacheRoot, 'images', 'runtime-new-'));
  try {
    const tree = join(temporary, 'polardb-stack');
    await Promise.all(['runtime/lib', 'bin'].map(path => mkdir(join(tree, path), { recursive: true })));
    await mkdir(join(temporary, 'etc'));
    await run('strip', ['-o', join(tree, 'runtime/node'), node]);
    for (const library of libraries) await program(library, join(tree, 'runtime/lib', basename(library)));
    await program('/usr/bin/tini-static', join(tree, 'bin/tini'));
    await program('/bin/busybox', join(tree, 'bin/busybox'));
    await writeFile(join(temporary, 'etc/passwd'), 'polardb:x:65532:65532::/:/none\n');
    await writeFile(join(temporary, 'etc/group'), 'polardb:x:65532:\n');
    await chmod(temporary, 0o755);
    await rename(temporary, directory);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function program(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await chmod(to, 0o755);
}

async function digestOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}
