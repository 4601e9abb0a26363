/**
 * Does what a leader knows of the record still stand? It knows what it read directly or wrote last, and the watch tells
 * of each change, its own ones included, late. A watch never goes back, but the whole store may (etcd restored): one that
 * went back before the watch had shown what is known shows nothing at all. Versions are resourceVersions; undefined: there
 * is no record.
 */
export interface RecordWatch {
  /** Versions that were known of late, in their order. */
  versions: readonly string[];
  current?: string;
  /** What the watch showed last. */
  shown?: string;
  /** Since when the watch has not shown what is known, ms of the monotonic clock. */
  unshownSince?: number;
}

export const noRecordWatch: RecordWatch = { versions: [] };

/** What is known, and not shown for so long, is read again, ms: far longer than a watch that works takes. */
export const UNSHOWN_MS = 2000;

/** A leader's own writes that the watch has not shown yet are ever few. */
const MOST_VERSIONS = 32;

/** It was read directly, or written, at `now`. */
export function onKnown({ versions, shown }: RecordWatch, current: string | undefined, now: number): RecordWatch {
  const known = current === undefined ? versions : [...before(versions, current), current].slice(-MOST_VERSIONS);
  return { versions: known, current, shown, unshownSince: shown === current ? undefined : now };
}

/** The watch shows this version. `isNews`: it was never known here, or was overwritten before; the record is read again. */
export function onShown(watch: RecordWatch, shown: string | undefined): { watch: RecordWatch; isNews: boolean } {
  if (shown !== undefined && shown === watch.shown) return { watch, isNews: false };
  const { current, unshownSince } = watch;
  const isKnown = shown === undefined ? current === undefined : isInOrder(watch, shown);
  return {
    watch: { ...watch, shown, unshownSince: shown === current ? undefined : unshownSince },
    isNews: !isKnown,
  };
}

/** From when on it is read again unless the watch shows it before, ms; undefined: it was shown. */
export const doubtfulFrom = ({ unshownSince }: RecordWatch): number | undefined =>
  unshownSince === undefined ? undefined : unshownSince + UNSHOWN_MS;

/** What came after a version is no more when that is there again. */
function before(versions: readonly string[], version: string): readonly string[] {
  const at = versions.indexOf(version);
  return at < 0 ? versions : versions.slice(0, at);
}

/** Known, and no older than what was shown before. */
function isInOrder({ versions, shown = '' }: RecordWatch, version: string): boolean {
  const at = versions.indexOf(version);
  return at >= 0 && at >= versions.indexOf(shown);
}
