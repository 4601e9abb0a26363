import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installTools } from '../kubernetes/machine-check.ts';
import { cacheRoot } from '../kubernetes/paths.ts';
import { step, type Report } from '../kubernetes/progress.ts';
import { run } from '../kubernetes/run.ts';

/** Files that packages bring and no server needs; without LLVM (JIT) alone the image halves. */
const leftOut = [
  '/usr/share/doc/*',
  '/usr/share/info/*',
  '/usr/share/locale/*',
  '/usr/share/i18n/*',
  '/usr/share/man/*',
  '/usr/lib/*/libLLVM*',
  '/usr/lib/*/libz3*',
  '/usr/lib/llvm-*',
  '/usr/lib/postgresql/*/lib/llvmjit*',
  '/usr/lib/postgresql/*/lib/bitcode/*',
];

/** Before packages are configured: a fixed user id, and no server of the distribution's own. */
const prepare = [
  'echo "postgres:x:999:999:PostgreSQL:/var/lib/postgresql:/bin/bash" >>"$1/etc/passwd"',
  'echo "postgres:x:999:" >>"$1/etc/group"',
  'mkdir -p "$1/etc/postgresql-common"',
  'echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"',
].join(' && ');

const options = [
  '--mode=root',
  '--variant=essential',
  '--include=postgresql-15',
  '--aptopt=Apt::Install-Recommends "false"',
  ...leftOut.map(path => `--dpkgopt=path-exclude=${path}`),
  `--essential-hook=${prepare}`,
];

export interface BaseSystem {
  /** Path of its tar archive. */
  archive: string;
  /** Digest of the archive. */
  digest: string;
  /** Version of PostgreSQL in it, like 15.14. */
  version: string;
}

/** The file system with PostgreSQL, from Debian's packages; made once per machine and set of options. */
export async function debianWithPostgresql(report: Report): Promise<BaseSystem> {
  const key = createHash('sha256').update(options.join('\n')).digest('hex').slice(0, 16);
  const directory = join(cacheRoot, 'images', `debian-${key}`);
  if (!existsSync(directory)) {
    await installTools([{ file: '/usr/bin/mmdebstrap', package: 'mmdebstrap' }], report);
    await step(report, 'Debian with PostgreSQL 15 from packages (a minute, once)', () => make(directory));
  }
  const facts = JSON.parse(await readFile(join(directory, 'facts.json'), 'utf8')) as Omit<BaseSystem, 'archive'>;
  return { archive: join(directory, 'base.tar'), ...facts };
}

async function make(directory: string): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  const temporary = await mkdtemp(`${directory}-new-`);
  try {
    const archive = join(temporary, 'base.tar');
    await run('unshare', ['--mount', 'mmdebstrap', ...options, 'bookworm', archive]);
    const [digest] = (await run('sha256sum', ['--binary', archive])).split(' ');
    const version = packageVersion(await statusOf(archive), 'postgresql-15');
    await writeFile(join(temporary, 'facts.json'), JSON.stringify({ digest, version }));
    // A directory of that name is always complete.
    await rename(temporary, directory);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The list of installed packages in an archive. */
const statusOf = (archive: string): Promise<string> => run('tar', ['-xOf', archive, './var/lib/dpkg/status']);

/** Upstream version of a package in dpkg's status file. */
export function packageVersion(status: string, name: string): string {
  const entry = status.split('\n\n').find(text => text.startsWith(`Package: ${name}\n`)) ?? '';
  const version = /^Version: (?:\d+:)?([^-\n]+)/m.exec(entry)?.[1];
  if (version === undefined) throw new Error(`the package ${name} is not installed there`);
  return version;
}
