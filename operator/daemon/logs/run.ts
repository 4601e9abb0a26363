import { isCode, type HeldDirectory } from './held-directory.ts';
import type { DiskUse } from './judge.ts';
import type { LiveInstances } from './live.ts';
import type { FileName } from './names.ts';
import type { OpenFiles } from './open-files.ts';
import type { LogPolicy } from './policy.ts';
import type { LogMode, Recorder } from './report.ts';
import type { WalkOptions } from './walk.ts';

/** One clean-up, or the plan of one: what all of its steps need. */
export interface Run {
  mode: LogMode;
  /** When it began; every age is measured from here. ms since the epoch */
  now: number;
  policy: LogPolicy;
  root: HeldDirectory;
  /** Read after the folders of the root were. */
  live: LiveInstances;
  open: OpenFiles;
  /** As it was at the beginning. */
  disk: DiskUse;
  record: Recorder;
  signal: AbortSignal;
}

/** Does one thing; what goes wrong with it is told in the report and holds up nothing else. @returns did it work? */
export async function attempt(run: Run, path: FileName, act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (run.signal.aborted) throw error;
    // Somebody else was faster.
    if (!isCode(error, 'ENOENT')) run.record.problem(path, error);
    return false;
  }
}

export const walkOptions = ({ signal, record }: Run): WalkOptions => ({
  signal,
  onProblem: (path, error) => record.problem(path, error),
});
