import { isFinished } from './record.ts';
import type { Phase } from './record.ts';

/**
 * The queue of one target's operations. The objects themselves are the queue: nothing is kept beside them, so no
 * request is lost, and every controller that looks sees the same order.
 */

export interface QueuedOperation {
  readonly name: string;
  /** RFC 3339, as in metadata.creationTimestamp (whole seconds: the name decides between equals). */
  readonly createdAt: string;
  readonly phase: Phase;
  readonly finishedAt?: string;
  /** Asked for by the controller itself to mend what broke. */
  readonly isRepair?: boolean;
  /** Instances that it works on; empty or absent: all of the target. */
  readonly instances?: readonly string[];
}

export interface Queue<O> {
  /** The one to run, or to go on with. */
  readonly run?: O;
  /** The others that are not finished or interrupted, in order, each with the one it waits for. */
  readonly waiting: readonly { readonly operation: O; readonly behind: O }[];
}

/** Finished operations that a target keeps for its history. */
export const KEPT_OPERATIONS = 20;

/**
 * One operation at a time, the oldest first. One that has begun goes on before others start. An interrupted one holds
 * up all that came after it (it left work half done), but not the repair of instances that it does not touch.
 */
export function queueOf<O extends QueuedOperation>(operations: readonly O[]): Queue<O> {
  const open = operations.filter(operation => !isFinished(operation)).sort(byAge);
  const interrupted = open.filter(operation => operation.phase === 'Interrupted');
  const queued = open.filter(operation => operation.phase !== 'Interrupted');
  const blocker = (operation: O): O | undefined => interrupted.find(held => holdsUp(held, operation));
  const run = queued.find(hasBegun) ?? queued.find(operation => !blocker(operation));
  const waiting = queued.filter(operation => operation !== run);
  return { run, waiting: waiting.map(operation => ({ operation, behind: blocker(operation) ?? run! })) };
}

/** Finished operations beyond the newest `kept`, oldest first: they may be deleted. */
export function toPrune<O extends QueuedOperation>(operations: readonly O[], kept = KEPT_OPERATIONS): O[] {
  const finished = operations.filter(isFinished).sort(byEnd);
  return finished.slice(0, Math.max(0, finished.length - kept));
}

function hasBegun(operation: QueuedOperation): boolean {
  return operation.phase === 'Running' || operation.phase === 'Waiting';
}

function holdsUp(interrupted: QueuedOperation, operation: QueuedOperation): boolean {
  if (!operation.isRepair) return byAge(interrupted, operation) < 0;
  return sharesInstance(interrupted.instances ?? [], operation.instances ?? []);
}

function sharesInstance(a: readonly string[], b: readonly string[]): boolean {
  return a.length === 0 || b.length === 0 || a.some(instance => b.includes(instance));
}

function byAge(a: QueuedOperation, b: QueuedOperation): number {
  return Date.parse(a.createdAt) - Date.parse(b.createdAt) || compare(a.name, b.name);
}

function byEnd(a: QueuedOperation, b: QueuedOperation): number {
  const end = (operation: QueuedOperation): number => Date.parse(operation.finishedAt ?? operation.createdAt);
  return end(a) - end(b) || byAge(a, b);
}

/** By code units, the same in every locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/**
 * Why an operation means nothing to the target that is there now: an operation that its owner made by hand is not deleted
 * with its target, and was not asked of the next one of that name.
 * @param since when the target was made, RFC 3339; unknown: nothing is said
 */
export function whyForFormer(madeAt: string | undefined, since: string | undefined): string | undefined {
  const isOlder = madeAt && since && Date.parse(madeAt) < Date.parse(since);
  return isOlder ? 'it was made for a former cluster of this name' : undefined;
}
