import type { DiskUse } from './judge.ts';
import { shownName, type FileName } from './names.ts';

/** Why something goes, in the order in which the rules are applied. */
export const LOG_RULES = [
  'TrashExpired',
  'RmDataAge',
  'OrphanFolder',
  'LogAge',
  'DiskPressure',
  'Compress',
  'LogSize',
  'Leftover',
] as const;
export type LogRule = (typeof LOG_RULES)[number];

export interface RuleTotal {
  /** Files or folders that the rule hit. */
  items: number;
  /** What they take on the disk; for folders that were set aside 0, they still take it. */
  bytes: number;
}

export interface LogAction {
  rule: LogRule;
  /** Below the root. */
  path: string;
  bytes: number;
}

/** A folder that stays for now. */
export interface Kept {
  path: string;
  why: string;
  /** RFC 3339; absent: as long as the reason lasts. */
  until?: string;
}

export interface LogsReport {
  host: string;
  /** `plan`: what would be done now; nothing was changed. */
  mode: LogMode;
  state: 'running' | 'done' | 'failed';
  startedAt: string;
  endedAt?: string;
  error?: string;
  root: string;
  disk?: DiskUse;
  /** Folders and engine logs that were looked at. */
  seen: { folders: number; logs: number };
  totals: Partial<Record<LogRule, RuleTotal>>;
  /** The first {@link SHOWN} of each kind; `omitted` counts the rest. */
  actions: LogAction[];
  kept: Kept[];
  foreign: string[];
  problems: { path: string; message: string }[];
  omitted: { actions: number; kept: number; foreign: number; problems: number };
}

export type LogMode = 'plan' | 'apply';

/** Entries of each list of a report: it has to fit into one object, whatever the disk looks like. */
const SHOWN = 200;
const MAX_TEXT = 300;

/** Collects what a clean-up does, in bounded memory. */
export class Recorder {
  readonly #report: LogsReport;

  constructor(head: Pick<LogsReport, 'host' | 'mode' | 'root'>, startedAt: Date) {
    this.#report = {
      ...head,
      state: 'running',
      startedAt: startedAt.toISOString(),
      seen: { folders: 0, logs: 0 },
      totals: {},
      actions: [],
      kept: [],
      foreign: [],
      problems: [],
      omitted: { actions: 0, kept: 0, foreign: 0, problems: 0 },
    };
  }

  saw(what: 'folders' | 'logs'): void {
    this.#report.seen[what]++;
  }

  disk(use: DiskUse): void {
    this.#report.disk = use;
  }

  action(rule: LogRule, path: FileName, bytes: number): void {
    const total = (this.#report.totals[rule] ??= { items: 0, bytes: 0 });
    total.items++;
    total.bytes += bytes;
    this.#add('actions', { rule, path: shown(path), bytes });
  }

  kept(path: FileName, why: string, until?: number): void {
    this.#add('kept', { path: shown(path), why, ...(until && { until: new Date(until).toISOString() }) });
  }

  /** Something in the root that is not ours. */
  foreign(path: FileName): void {
    this.#add('foreign', shown(path));
  }

  problem(path: FileName, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#add('problems', { path: shown(path), message: shown(Buffer.from(message).toString('latin1')) });
  }

  /** Bytes that these rules have freed, or would free. */
  freed(...rules: LogRule[]): number {
    return rules.reduce((sum, rule) => sum + (this.#report.totals[rule]?.bytes ?? 0), 0);
  }

  end(endedAt: Date, error?: string): LogsReport {
    this.#report.state = error === undefined ? 'done' : 'failed';
    this.#report.endedAt = endedAt.toISOString();
    if (error !== undefined) this.#report.error = error;
    return this.snapshot();
  }

  /** As it is now. */
  snapshot(): LogsReport {
    return structuredClone(this.#report);
  }

  #add<K extends 'actions' | 'kept' | 'foreign' | 'problems'>(list: K, item: LogsReport[K][number]): void {
    const items = this.#report[list] as LogsReport[K][number][];
    if (items.length < SHOWN) items.push(item);
    else this.#report.omitted[list]++;
  }
}

function shown(path: FileName): string {
  const text = shownName(path);
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
}

/** Rules that free space, but for those that free an unknown part. */
const DELETING: readonly LogRule[] = ['TrashExpired', 'RmDataAge', 'LogAge', 'DiskPressure', 'LogSize', 'Leftover'];

/** What is gone for good. */
export function deletedBy({ totals }: Pick<LogsReport, 'totals'>): RuleTotal {
  const found = DELETING.map(rule => totals[rule] ?? { items: 0, bytes: 0 });
  return {
    items: found.reduce((sum, { items }) => sum + items, 0),
    bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** One line for people. */
export function summaryOf(report: LogsReport): string {
  const { items, bytes } = deletedBy(report);
  const verb = report.mode === 'plan' ? 'would delete' : 'deleted';
  const parts = [`${verb} ${items} (${mebibytes(bytes)} MiB)`];
  const { OrphanFolder: aside, Compress: compressed } = report.totals;
  if (aside) parts.push(`${aside.items} folders into the trash`);
  if (compressed) parts.push(`${compressed.items} logs to compress (${mebibytes(compressed.bytes)} MiB)`);
  const problems = report.problems.length + report.omitted.problems;
  if (problems) parts.push(`${problems} problems`);
  return parts.join(', ');
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
