import { stat } from 'node:fs/promises';
import type { EngineName, Topology } from '../model/roles.ts';
import { EngineError } from './errors.ts';
import { inspectImage } from './image.ts';
import type { EngineOptions, EngineTools } from './options.ts';
import { realTools } from './options.ts';
import { PolarLocal } from './polardb/local.ts';
import { PolarShare } from './polardb/share.ts';
import { PostgresLocal } from './postgresql/local.ts';
import { PostgresShare } from './postgresql/share.ts';
import type { EngineProfile, ImageFacts } from './profile.ts';

/** What the cluster object asks for. */
export interface EngineChoice {
  dbType: EngineName;
  topology: Topology;
}

/**
 * The profile for what is asked, after a look at what the image holds.
 * @throws EngineError `EngineMissing`, `WrongEngine`, `VersionTooOld` (see `inspectImage`), `BadArgument`
 */
export async function openEngine(
  choice: EngineChoice,
  options: EngineOptions,
  tools: EngineTools = realTools,
): Promise<EngineProfile> {
  const image = await inspectImage({ run: tools.run, binDir: options.binDir });
  if (image.engine !== choice.dbType) {
    throw new EngineError(
      'WrongEngine',
      `${choice.dbType} is asked for, the image holds ${image.engine} ${image.version}`,
    );
  }
  if (choice.topology === 'local') return openLocal(choice.dbType, options, image, tools);
  const { sharedDir } = options;
  if (sharedDir === undefined)
    throw new EngineError('BadArgument', 'a shared volume is asked for, but no path of it is given');
  await requireMountedFileSystem(sharedDir);
  const shared = { ...options, sharedDir };
  return choice.dbType === 'polardb' ? new PolarShare(shared, image, tools) : new PostgresShare(shared, image, tools);
}

function openLocal(dbType: EngineName, options: EngineOptions, image: ImageFacts, tools: EngineTools): EngineProfile {
  return dbType === 'polardb' ? new PolarLocal(options, image, tools) : new PostgresLocal(options, image, tools);
}

/** A raw device would need PFS: its daemon, its `pfs` program in the image and a storage cluster name, and none is here. */
async function requireMountedFileSystem(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  const what =
    found === undefined ? 'is not mounted' : 'is not a file system (PFS on a block device is not supported here)';
  throw new EngineError(
    'EngineMissing',
    `the shared volume ${path} ${what}; give it a volume with volumeMode Filesystem`,
  );
}
