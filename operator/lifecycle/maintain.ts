import { done, type StepResult } from '../workflow/step.ts';
import { driveAccounts } from './accounts.ts';
import type { ClusterContext } from './context.ts';
import { followersServe } from './followers.ts';
import { ensureObjects } from './objects.ts';
import { ensurePods, releasePods, removePods } from './pods.ts';
import { writerServes, writerStopped } from './writer.ts';

/**
 * Keeps a running cluster as it should be: drift mended, pods back, accounts as their Secrets say. Asks nobody and writes
 * nothing while no sign has changed.
 * @returns what it waits for, the RW first
 */
export async function maintain(context: ClusterContext): Promise<StepResult> {
  await releasePods(context);
  const failure = await ensureObjects(context).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  // What cannot be made, for a quota or a mistake of somebody, keeps no engine down.
  await ensurePods(context);
  if (failure) throw failure.error;
  const writer = writerServes(context);
  if (writer.kind === 'wait') return writer;
  const accounts = await driveAccounts(context);
  return accounts.kind === 'wait' ? accounts : followersServe(context);
}

/** A stopped cluster keeps its objects, so that nothing is lost or taken by others meanwhile. */
export async function maintainStopped(context: ClusterContext): Promise<StepResult> {
  await releasePods(context);
  await ensureObjects(context);
  return done();
}

/** Pods that are there all the same, of a start that was called off, go as they do in a stop: the RW first. */
export async function keepStopped(context: ClusterContext): Promise<StepResult> {
  await maintainStopped(context);
  if (context.children.pods.length === 0) return done();
  const writer = await writerStopped(context);
  return writer.kind === 'wait' ? writer : removePods(context);
}
