import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from './errors.ts';
import type { EngineTools } from './options.ts';

/**
 * Looks at processes, not at pid files: an orphaned backend goes on writing without any file.
 * @throws EngineError `StillRunning`
 */
export async function requireNothingRuns(tools: Pick<EngineTools, 'processesIn'>, directory: string): Promise<void> {
  const alive = await tools.processesIn(directory);
  if (alive.length === 0) return;
  throw new EngineError('StillRunning', `processes ${alive.join(', ')} still work on ${directory}`);
}

/** Pid and lock files of the former engine block a start when their number belongs to another process by now (engines.md 9). */
export async function clearRemains(directory: string, socket: string): Promise<void> {
  for (const path of [join(directory, 'postmaster.pid'), socket, `${socket}.lock`]) await rm(path, { force: true });
}
