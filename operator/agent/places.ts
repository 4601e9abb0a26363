import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentConfig } from '../agent-api/config.ts';
import { createFileExclusive, readIfExists, writeFileAtomic } from '../engine/files.ts';
import type { EngineOptions } from '../engine/options.ts';
import type { DurableFile } from './state-store.ts';
import { tlsFiles } from './tls-files.ts';

/** A file that several may want to make at the same time. */
export interface ClaimableFile extends DurableFile {
  /** Makes the file, whole and durably, unless somebody has. @returns whether this call made it */
  create(content: string): Promise<boolean>;
}

/** Where the agent keeps what. Mount points belong to the kubelet, so everything lies in directories below them. */
export interface Places {
  /** What outlives the agent; on the instance's own volume. */
  state: DurableFile;
  /** Whose data this is; on the volume that holds the data. */
  identity: ClaimableFile;
  /** Pass file and the like. */
  private: string;
  /** The engine's standard output and error. */
  engineLog: string;
  engine: EngineOptions;
}

/** Makes the directories that are missing. */
export async function preparePlaces(config: AgentConfig): Promise<Places> {
  const { data, shared, run, log, tls } = config.paths;
  const own = { agent: join(data, 'agent'), engine: join(data, 'engine') };
  const runtime = { agent: join(run, 'agent'), engine: join(run, 'engine') };
  const volume = join(shared ?? data, 'identity');
  for (const directory of [own.agent, own.engine, runtime.agent, runtime.engine, volume]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
  await mkdir(log, { recursive: true, mode: 0o750 });
  return {
    state: durableFile(join(own.agent, 'state.json')),
    identity: claimableFile(join(volume, 'volume.json')),
    private: runtime.agent,
    engineLog: join(log, 'engine.log'),
    engine: {
      dataDir: own.engine,
      sharedDir: shared,
      runDir: runtime.engine,
      tls: tlsFiles(tls),
      port: config.ports.engine,
      hostId: config.hostId,
    },
  };
}

const durableFile = (path: string): DurableFile => ({
  read: () => readIfExists(path),
  write: content => writeFileAtomic(path, content),
});

const claimableFile = (path: string): ClaimableFile => ({
  ...durableFile(path),
  create: content => createFileExclusive(path, content),
});
