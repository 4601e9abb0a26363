import { isCompressed } from './names.ts';
import { DAY_MS, SETTLED_MS, type LogPolicy } from './policy.ts';

/** What goes, and by which rule. Pure: the same answers make a plan and its execution. */

/** An engine log as the clean-up sees it. */
export interface LogView {
  name: string;
  bytes: number;
  modifiedAt: number;
  /** Of its family in its directory. */
  isNewest: boolean;
  /** Some process has it open; false also when that cannot be known. */
  isOpen: boolean;
}

export type LogVerdict =
  | { action: 'keep' }
  | { action: 'delete'; rule: 'LogAge' | 'DiskPressure' | 'LogSize' }
  | { action: 'compress'; rule: 'Compress' };

export interface LogCutoffs {
  now: number;
  policy: LogPolicy;
  /** Written before: goes, because the file system is full. ms since the epoch; 0: none. */
  pressureCutoff: number;
  /** Written before: goes, because the instance has too many logs. */
  sizeCutoff: number;
}

const KEEP: LogVerdict = { action: 'keep' };

/** In this order: what is in use stays; then the rule that says most about the file. */
export function judgeLog(log: LogView, { now, policy, pressureCutoff, sizeCutoff }: LogCutoffs): LogVerdict {
  const age = now - log.modifiedAt;
  if (isInUse(log)) return KEEP;
  if (age > policy.overdueDays * DAY_MS) return { action: 'delete', rule: 'LogAge' };
  if (isSettled(log, now) && log.modifiedAt < pressureCutoff) return { action: 'delete', rule: 'DiskPressure' };
  if (isToCompress(log, now, policy)) return { action: 'compress', rule: 'Compress' };
  if (isSettled(log, now) && log.modifiedAt < sizeCutoff) return { action: 'delete', rule: 'LogSize' };
  return KEEP;
}

const isSettled = ({ modifiedAt }: LogView, now: number): boolean => now - modifiedAt > SETTLED_MS;
/** Nobody writes to a compressed file, so none of them needs to stay as the newest. */
const isInUse = ({ name, isNewest, isOpen }: LogView): boolean => isOpen || (isNewest && !isCompressed(name));
const isToCompress = ({ name, modifiedAt }: LogView, now: number, policy: LogPolicy): boolean =>
  !isCompressed(name) && now - modifiedAt > policy.compressAfterDays * DAY_MS;

/** Bytes by the minute in which they were last written: as fine as a cutoff needs, however many files there are. */
export class AgeProfile {
  readonly #minutes = new Map<number, number>();

  add({ bytes, modifiedAt }: { bytes: number; modifiedAt: number }): void {
    const minute = Math.floor(modifiedAt / MINUTE_MS);
    this.#minutes.set(minute, (this.#minutes.get(minute) ?? 0) + bytes);
  }

  /** Files written before this moment take at least `excess` bytes, or they are all; 0 when nothing needs to go. */
  cutoff(excess: number): number {
    let cutoff = 0;
    let freed = 0;
    for (const [minute, bytes] of [...this.#minutes].sort(([a], [b]) => a - b)) {
      if (freed >= excess) break;
      freed += bytes;
      cutoff = (minute + 1) * MINUTE_MS;
    }
    return cutoff;
  }
}

const MINUTE_MS = 60_000;

/** The logs of one instance, or of all, as far as limits of size and space need to know them. */
export interface LogSurvey {
  /** What stays unless a limit takes it. */
  keptBytes: number;
  /** What of it a limit of size may take. */
  bySize: AgeProfile;
  /** What a lack of space may take. */
  byPressure: AgeProfile;
  /** What goes by age. */
  overdueBytes: number;
}

export const newSurvey = (): LogSurvey => ({
  keptBytes: 0,
  bySize: new AgeProfile(),
  byPressure: new AgeProfile(),
  overdueBytes: 0,
});

/**
 * Adds a log to a survey. What is about to be compressed does not count for the limit of size: older logs would go for
 * bytes that are about to vanish. The next clean-up counts what is left.
 */
export function survey(into: LogSurvey, log: LogView, limits: Pick<LogCutoffs, 'now' | 'policy'>): void {
  const verdict = judgeLog(log, { ...limits, pressureCutoff: 0, sizeCutoff: 0 });
  if (verdict.action === 'delete') {
    into.overdueBytes += log.bytes;
    return;
  }
  const mayGo = !isInUse(log) && isSettled(log, limits.now);
  if (mayGo) into.byPressure.add(log);
  if (verdict.action === 'compress') return;
  into.keptBytes += log.bytes;
  if (mayGo) into.bySize.add(log);
}

/** How a file system is filled, bytes. */
export interface DiskUse {
  totalBytes: number;
  freeBytes: number;
}

export const usedPercent = ({ totalBytes, freeBytes }: DiskUse): number =>
  totalBytes === 0 ? 0 : (100 * (totalBytes - freeBytes)) / totalBytes;

/** Bytes that must go for lack of space: none up to the high mark, beyond it all above the low one. */
export function pressureExcess(disk: DiskUse, policy: LogPolicy): number {
  if (usedPercent(disk) < policy.diskHighPercent) return 0;
  return disk.totalBytes - disk.freeBytes - (disk.totalBytes * policy.diskLowPercent) / 100;
}

/** The folder of an instance, or what looks like one. */
export interface FolderView {
  /** Who names the instance; undefined: nobody. */
  namedBy: string | undefined;
  /** Since when nobody names it, as far as was noted; ms since the epoch. */
  orphanSince: number | undefined;
  /** Newest change of anything in it; undefined while that does not matter yet. */
  newestAt?: number;
  /** Some process has a file in it open. */
  isOpen?: boolean;
}

export type FolderVerdict =
  | { action: 'keep'; why: string }
  /** Nobody names it: that is noted, and it goes when that is true for long enough. */
  | { action: 'wait'; why: string; until?: number }
  /** Its content must be looked at to know. */
  | { action: 'look' }
  | { action: 'set-aside' };

/** The first rule that objects keeps the folder where it is. */
export function judgeFolder(folder: FolderView, { now, policy }: Pick<LogCutoffs, 'now' | 'policy'>): FolderVerdict {
  const overdueMs = policy.overdueDays * DAY_MS;
  if (folder.namedBy !== undefined) return { action: 'keep', why: `named by ${folder.namedBy}` };
  const until = (folder.orphanSince ?? now) + overdueMs;
  if (folder.orphanSince === undefined || now < until) return { action: 'wait', why: 'nobody names it', until };
  if (folder.newestAt === undefined) return { action: 'look' };
  if (folder.isOpen) return { action: 'wait', why: 'a process has a file of it open' };
  if (now - folder.newestAt <= overdueMs) {
    return { action: 'wait', why: 'it was written to', until: folder.newestAt + overdueMs };
  }
  return { action: 'set-aside' };
}

/** Is a folder that was set aside at `since` to be deleted? A moment that has not come yet is a clock that was wrong. */
export const isTrashDue = (since: number, { now, policy }: Pick<LogCutoffs, 'now' | 'policy'>): boolean =>
  now - since > policy.trashDays * DAY_MS;

/** Is an `rm_data_*` folder to be deleted? By the later of its name's moment and its own time. */
export const isRmDataDue = (time: number, { now, policy }: Pick<LogCutoffs, 'now' | 'policy'>): boolean =>
  now - time > policy.overdueDays * DAY_MS;
