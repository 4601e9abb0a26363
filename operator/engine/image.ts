import { access, constants, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { EngineName } from '../model/roles.ts';
import { EngineError } from './errors.ts';
import { readIfExists } from './files.ts';
import type { ImageFacts } from './profile.ts';
import type { RunProgram } from './programs.ts';

/** Oldest major version of either engine: 15 has what the profiles use (IP addresses in certificates, --config-file). */
export const OLDEST_MAJOR = 15;

/** What an image of ours says about itself in `/etc/polardb-stack/image.json`; optional, the programs decide. */
const imageFileSchema = z.object({
  engine: z.enum(['polardb', 'postgresql']).optional(),
  version: z.string().optional(),
  paths: z.object({ bin: z.string().optional() }).optional(),
});
type ImageFile = z.infer<typeof imageFileSchema>;

export interface ImageSearch {
  run: RunProgram;
  /** Looked at instead of the usual places. */
  binDir?: string;
  /** Default `/`; tests put an image's tree elsewhere. */
  root?: string;
}

const PROGRAMS: Readonly<Record<EngineName, readonly string[]>> = {
  postgresql: ['postgres', 'initdb', 'pg_basebackup', 'pg_controldata'],
  polardb: ['postgres', 'initdb', 'pg_basebackup', 'pg_controldata', 'polar-initdb.sh'],
};

/** Libraries that can only be loaded at start, so they are loaded from the first day where the image has them. */
const PRELOAD: Readonly<Record<EngineName, readonly string[]>> = {
  postgresql: ['pg_stat_statements'],
  polardb: ['polar_vfs', 'polar_worker', 'pg_stat_statements'],
};

/**
 * What an image really holds, told by its programs.
 * @throws EngineError `EngineMissing` naming what is missing and where was looked; `VersionTooOld`; `WrongEngine` when
 *   image.json and the programs disagree
 */
export async function inspectImage(search: ImageSearch): Promise<ImageFacts> {
  const root = search.root ?? '/';
  const described = await readImageFile(join(root, 'etc/polardb-stack/image.json'));
  const binDir = await findPrograms(root, search.binDir ?? described.paths?.bin);
  const { stdout } = await search.run({ program: join(binDir, 'postgres'), args: ['--version'], timeoutMs: 10_000 });
  const stock = parseVersion(stdout);
  const engine = await detect(binDir);
  if (described.engine !== undefined && described.engine !== engine) {
    throw new EngineError(
      'WrongEngine',
      `image.json says ${described.engine}, but the programs in ${binDir} are ${engine}`,
    );
  }
  await requirePrograms(binDir, PROGRAMS[engine]);
  const major = Number.parseInt(stock, 10);
  if (major < OLDEST_MAJOR) {
    throw new EngineError('VersionTooOld', `the image holds ${engine} ${stock}; at least ${OLDEST_MAJOR} is needed`);
  }
  // `postgres --version` of PolarDB shows the PostgreSQL version only, so image.json may say more.
  const version = described.version?.startsWith(`${major}`) ? described.version : stock;
  return { engine, version, major, binDir, preload: await presentLibraries(binDir, PRELOAD[engine]) };
}

/** The version in the answer of `postgres --version`: `15.18` of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`. */
export function parseVersion(answer: string): string {
  const version = /\)\s+(\d+(?:\.\d+)*|\d+\w*)/.exec(answer)?.[1];
  if (version === undefined) throw new EngineError('EngineMissing', `"${answer.trim()}" names no PostgreSQL version`);
  return version;
}

async function readImageFile(path: string): Promise<ImageFile> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return {};
  try {
    return imageFileSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new EngineError('EngineMissing', `${path} of the image cannot be read`, { cause: error });
  }
}

async function findPrograms(root: string, named: string | undefined): Promise<string> {
  const candidates = named === undefined ? await usualPlaces(root) : [named];
  for (const candidate of candidates) if (await isExecutable(join(candidate, 'postgres'))) return candidate;
  throw new EngineError('EngineMissing', `the image has no program postgres in ${candidates.join(', ')}`);
}

/** Newest version first where several are installed side by side. */
async function usualPlaces(root: string): Promise<string[]> {
  const debian = join(root, 'usr/lib/postgresql');
  const versions = (await readdir(debian).catch(() => [])).filter(name => /^\d+$/.test(name));
  versions.sort((a, b) => Number(b) - Number(a));
  const others = ['u01/polardb_pg/bin', 'usr/local/polardb_pg/bin', 'usr/local/pgsql/bin', 'usr/local/bin', 'usr/bin'];
  return [...versions.map(version => join(debian, version, 'bin')), ...others.map(path => join(root, path))];
}

async function detect(binDir: string): Promise<EngineName> {
  if (await isExecutable(join(binDir, 'polar-initdb.sh'))) return 'polardb';
  return (await presentLibraries(binDir, ['polar_vfs'])).length > 0 ? 'polardb' : 'postgresql';
}

async function requirePrograms(binDir: string, programs: readonly string[]): Promise<void> {
  const found = await Promise.all(programs.map(program => isExecutable(join(binDir, program))));
  const missing = programs.filter((_program, index) => !found[index]);
  if (missing.length > 0) throw new EngineError('EngineMissing', `the image lacks ${missing.join(', ')} in ${binDir}`);
}

/** Debian keeps libraries beside `bin`, an own build in `lib` or `lib/postgresql`. */
async function presentLibraries(binDir: string, names: readonly string[]): Promise<string[]> {
  const directories = ['../lib', '../lib/postgresql', '../lib64', '../lib64/postgresql'].map(path =>
    join(binDir, path),
  );
  const found = await Promise.all(
    names.map(async name => {
      const tries = await Promise.all(directories.map(directory => isReadable(join(directory, `${name}.so`))));
      return tries.includes(true);
    }),
  );
  return names.filter((_name, index) => found[index]);
}

const isExecutable = (path: string): Promise<boolean> => mayAccess(path, constants.X_OK);
const isReadable = (path: string): Promise<boolean> => mayAccess(path, constants.R_OK);

const mayAccess = (path: string, mode: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  );

/**
 * May this image run the data of a directory? One that holds none yet, it may.
 * @throws EngineError `WrongEngine`
 */
export async function requireSameMajor(directory: string, image: Pick<ImageFacts, 'major' | 'version'>): Promise<void> {
  const text = await readIfExists(join(directory, 'PG_VERSION'));
  if (text === undefined || Number(text) === image.major) return;
  throw new EngineError('WrongEngine', `the data is of version ${text.trim()}, the image holds ${image.version}`);
}
