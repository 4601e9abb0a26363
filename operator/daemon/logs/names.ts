import { ORIGINAL_LABEL } from '../../model/labels.ts';

/**
 * Names of files are bytes, not text: here a name is a string with one character (0-255) for each byte, so that every
 * name can be given back to the kernel as it came. {@link shownName} is for people.
 */
export type FileName = string;

/** Whose value names the folder of a pod's instance. */
export const INSTANCE_LABEL = ORIGINAL_LABEL.instanceId;

/** Our folder within the root: what was set aside, and the note of what nobody names. */
export const TRASH = '.polardb-stack-trash';

/** An instance's folder has its id as name: a number of the original's counter. Nothing else is ever taken for one. */
export const isInstanceName = (name: FileName): boolean => /^[1-9][0-9]{0,18}$/.test(name);

/** What the original, and nobody else, has in the folder of an instance. */
export const isInstancePart = (name: FileName): boolean => ['data', 'log', 'scripts'].includes(name) || isRmData(name);

/** A copy of a data directory that was put aside before an instance was made anew. */
export const isRmData = (name: FileName): boolean => /^rm_data_[A-Za-z0-9_-]+$/.test(name);

/** The moment that such a folder has in its name, ms since the epoch: a copy may keep the times of what was copied. */
export function rmDataTime(name: FileName): number | undefined {
  const digits = /^rm_data_(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(name);
  if (!digits) return undefined;
  const [year, month, day, hour, minute, second] = digits.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

const ENGINE_LOG = /^postgresql.*\.(log|csv|json)(\.gz)?$/s;
/** A compressed file that is not complete yet. */
export const PARTIAL_SUFFIX = '.gz.partial';

export const isEngineLog = (name: FileName): boolean => ENGINE_LOG.test(name);
export const isPartial = (name: FileName): boolean =>
  name.endsWith(PARTIAL_SUFFIX) && isEngineLog(name.slice(0, -PARTIAL_SUFFIX.length));
export const isCompressed = (name: FileName): boolean => name.endsWith('.gz');

/**
 * Files that an engine writes one after the other: their names differ in digits only. The newest of a family may be the
 * one that is written to, however old it is.
 */
export const logFamily = (name: FileName): string => name.replace(/\d+/g, '#');

/**
 * Where an engine may log below its folder. In a data directory nothing else is looked at: a relation is never a log.
 */
export const LOG_PLACES: readonly (readonly FileName[])[] = [
  ['log'],
  ['data', 'log'],
  ['data', 'pg_log'],
  ['data', 'engine', 'log'],
  ['data', 'engine', 'pg_log'],
];

/** Name in the trash: what it was called and when it went there; a copy within an instance has its id in front. */
export function trashName(name: FileName, now: number, instance?: FileName): FileName {
  return [...(instance === undefined ? [] : [instance]), name, Math.floor(now / 1000)].join('.');
}

export interface Trashed {
  /** Undefined: a copy of a data directory that lay beside the instances. */
  instance: FileName | undefined;
  /** It was a copy already, so there is nothing to wait for. */
  isCopy: boolean;
  /** ms since the epoch */
  since: number;
}

/** Undefined: not from us. */
export function parseTrashName(name: FileName): Trashed | undefined {
  const [, instance, copy, seconds] = /^(?:(\d+)\.)?(?:(rm_data_[A-Za-z0-9_-]+)\.)?(\d{1,12})$/.exec(name) ?? [];
  if (seconds === undefined || (instance === undefined && copy === undefined)) return undefined;
  return { instance, isCopy: copy !== undefined, since: Number(seconds) * 1000 };
}

/** A name or path for people: as UTF-8, with what could deceive a reader escaped. */
export function shownName(name: FileName): string {
  const text = Buffer.from(name, 'latin1').toString('utf8');
  return text.replace(/[\p{C}\p{Z}\uFFFD]/gu, it => (it === ' ' ? it : `\\u{${it.codePointAt(0)!.toString(16)}}`));
}
