import { isGone, isReason, isServerDown, KubeError, SERVER_DOWN_PAUSE_MS } from './errors.ts';

/**
 * Where a reflector stands and what follows from what it met. Pure; the reflector carries it out.
 *
 *   empty    --listed----------------> watching
 *   empty    --failed----------------> empty     (after a pause; a lost page token: once more, in one piece)
 *   watching --ended, failed---------> watching  (from the last version seen; after a pause if nothing had come)
 *                                                 (after a failure it is asked first whether the server still knows it)
 *   watching --too old (410)---------> empty     (at once; from the second in a row on after a pause)
 *
 * There is no state to stay dead in: every error leads to another try.
 */
export type Phase =
  | { at: 'empty'; isUnpaged?: boolean }
  /** `isDoubted`: the server was away, and may have come back from an older copy of its store. */
  | { at: 'watching'; resourceVersion: string; isDoubted?: boolean };

export type Met =
  | { what: 'listed'; resourceVersion: string }
  /** The server closed the watch, as it does every few minutes. `hasLived`: something came, or it lasted. */
  | { what: 'ended'; resourceVersion: string; hasLived: boolean }
  | { what: 'failed'; error: unknown; resourceVersion: string; hasLived: boolean };

export interface Progress {
  phase: Phase;
  /** Failures in a row; a watch that lived ends the row. */
  failures: number;
  /** Of these, versions that were too old. */
  gone: number;
}

export interface Next {
  progress: Progress;
  /** 0: go on at once; n: the pause of the n-th failure in a row. */
  pause: number;
  /** The server's own wish, ms. */
  atLeastMs: number;
  /** Bound of the pause, ms. */
  atMostMs: number;
}

const ANY_PAUSE = { atLeastMs: 0, atMostMs: Infinity };

export const START: Progress = { phase: { at: 'empty' }, failures: 0, gone: 0 };

export function nextProgress(now: Progress, met: Met): Next {
  if (met.what === 'listed') {
    const phase: Phase = { at: 'watching', resourceVersion: met.resourceVersion };
    return { progress: { ...now, phase }, pause: 0, ...ANY_PAUSE };
  }
  const row = met.hasLived ? { failures: 0, gone: 0 } : { failures: now.failures, gone: now.gone };
  if (met.what === 'ended') return goOn(now, row, met);
  if (isGone(met.error)) return startOver(now, row);
  // A dead connection was noticed; the wait for that was long enough.
  if (isReason(met.error, 'Silent')) return goOn(now, { failures: 0, gone: 0 }, { ...met, hasLived: true });
  const atLeastMs = met.error instanceof KubeError ? (met.error.retryAfterMs ?? 0) : 0;
  const atMostMs = isServerDown(met.error) ? SERVER_DOWN_PAUSE_MS : Infinity;
  return { ...goOn(now, row, { ...met, hasLived: false }), atLeastMs, atMostMs };
}

type Row = Omit<Progress, 'phase'>;

function goOn(now: Progress, row: Row, met: Exclude<Met, { what: 'listed' }>): Next {
  const { resourceVersion, what } = met;
  const watching: Phase = { at: 'watching', resourceVersion, ...(what === 'failed' && { isDoubted: true }) };
  const phase = now.phase.at === 'empty' ? now.phase : watching;
  const failures = met.hasLived ? 0 : row.failures + 1;
  return { progress: { ...row, phase, failures }, pause: failures, ...ANY_PAUSE };
}

/**
 * Did the server's store go back behind a version that it gave us? A watch from such a version is not refused: it stays
 * silent until the store is past it, and what was lost with the newer store would stay in our cache. Versions of one
 * server have one order; what is no number is not compared.
 */
export function isStoreBehind(current: string, seen: string): boolean {
  const isNumber = /^\d+$/;
  return isNumber.test(current) && isNumber.test(seen) && BigInt(current) < BigInt(seen);
}

/** A server that answers "too old" to its own newest version must not be listed in a tight loop. */
function startOver(now: Progress, row: Row): Next {
  const gone = row.gone + 1;
  const phase: Phase = now.phase.at === 'empty' ? { at: 'empty', isUnpaged: true } : { at: 'empty' };
  return { progress: { phase, failures: row.failures, gone }, pause: gone - 1, ...ANY_PAUSE };
}
