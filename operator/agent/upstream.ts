import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../agent-api/errors.ts';
import type { ApiUpstream } from '../agent-api/schemas.ts';
import { REPLICATOR } from '../engine/access.ts';
import { formatPassFile } from '../engine/conf.ts';
import { removeDurably, writeIfChanged } from '../engine/files.ts';
import type { Upstream } from '../engine/profile.ts';

export interface UpstreamOptions {
  /** File with the password of `replicator`, mounted from its Secret. */
  secretFile: string;
  /** Directory for the pass file; only this agent's. */
  directory: string;
  /** Incarnation: the RW's list of receivers and E name incarnations, never instances. */
  applicationName: string;
}

const passFile = (directory: string): string => join(directory, 'passfile');

/** No receiver can connect any more until an upstream is completed again. */
export const removePassFile = (directory: string): Promise<void> => removeDurably(passFile(directory));

/** Completes an upstream by who this is and a fresh pass file. The password stays out of arguments and configuration. */
export async function completeUpstream(upstream: ApiUpstream, options: UpstreamOptions): Promise<Upstream> {
  const password = await readFile(options.secretFile, 'utf8').catch((error: unknown) => {
    throw new AgentError('Refused', `the password of ${REPLICATOR} cannot be read`, { cause: error });
  });
  const path = passFile(options.directory);
  await writeIfChanged(path, formatPassFile(REPLICATOR, password.trimEnd()));
  return { ...upstream, applicationName: options.applicationName, passFile: path };
}
