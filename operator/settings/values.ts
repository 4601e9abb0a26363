import type { SettingsMap, SettingsProblem } from './types.ts';

/** A value that cannot be used: what is wrong, and what would be right. */
export class BadValue extends Error {
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.name = 'BadValue';
    this.remedy = remedy;
  }
}

/** Reads one map and collects what is wrong in it, so that one bad value never hides another. */
export class MapReader {
  readonly name: string;
  readonly #data: Readonly<Record<string, string>>;
  readonly #problems: SettingsProblem[];

  constructor(map: SettingsMap | undefined, name: string, problems: SettingsProblem[]) {
    this.name = map?.metadata?.name ?? name;
    this.#data = map?.data ?? {};
    this.#problems = problems;
  }

  has(key: string): boolean {
    return this.#data[key] !== undefined;
  }

  /** Value of a key: `absent` when there is none, `last` when it cannot be used. */
  read<T>(key: string, parse: (text: string) => T, { absent, last }: { absent: T; last: T }): T {
    const text = this.#data[key];
    if (text === undefined) return absent;
    return this.attempt(key, () => parse(text)) ?? last;
  }

  /** Runs `parse`; a `BadValue` becomes a problem of this map and undefined. */
  attempt<T>(key: string, parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      this.problem(key, error.message, error.remedy);
      return undefined;
    }
  }

  problem(key: string, message: string, remedy: string): void {
    this.#problems.push({ map: this.name, key, message, remedy });
  }
}

const TRUE = new Set(['1', 't', 'y', 'true', 'yes', 'on']);
const FALSE = new Set(['0', 'f', 'n', 'false', 'no', 'off']);

/** Truth in any form that the original read. */
export function parseBool(text: string): boolean {
  const word = text.trim().toLowerCase();
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  throw new BadValue(`"${text}" is neither true nor false`, 'write true or false');
}

/** Text that must not be empty. */
export function parseText(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') throw new BadValue('is empty', 'write a value or remove the key');
  return trimmed;
}

/** A whole number of at least 0. */
export function parseCount(text: string): number {
  const trimmed = text.trim();
  if (!/^\d{1,15}$/.test(trimmed)) throw new BadValue(`"${text}" is not a whole number`, 'write digits only');
  return Number(trimmed);
}

/** Cores as the original writes them (`2`, `0.25`) or as Kubernetes does (`250m`); result in thousandths. */
export function parseMillis(text: string): number {
  const match = /^(?:(\d{1,6})m|(\d{1,4}(?:\.\d{1,3})?))$/.exec(text.trim());
  if (!match) throw new BadValue(`"${text}" is not a number of cores`, 'write cores (2, 0.25) or thousandths (250m)');
  return match[1] === undefined ? Math.round(Number(match[2]) * 1000) : Number(match[1]);
}

/** MiB as the original writes them (`5120`) or with a unit (`512Mi`, `5Gi`, `1Ti`); result in MiB. */
export function parseMebibytes(text: string): number {
  const match = /^(\d{1,12})(Mi|Gi|Ti)?$/.exec(text.trim());
  if (!match) throw new BadValue(`"${text}" is not an amount of memory`, 'write MiB (5120) or a quantity (5Gi)');
  return Number(match[1]) * ({ Mi: 1, Gi: 1024, Ti: 1024 * 1024 }[match[2] ?? 'Mi'] ?? 1);
}

/** A Kubernetes quantity, kept as it is written. */
export function parseQuantity(text: string): string {
  const trimmed = text.trim();
  if (!/^\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/.test(trimmed)) {
    throw new BadValue(`"${text}" is not a quantity`, 'write a Kubernetes quantity such as 500m or 1Gi');
  }
  return trimmed;
}

/** Removes one pair of single quotes as postgresql.conf has them; the original's maps keep them in the value. */
export function unquote(text: string): string {
  const trimmed = text.trim();
  const quoted = /^'((?:[^']|'')*)'$/.exec(trimmed);
  return quoted ? quoted[1]!.replaceAll("''", "'") : trimmed;
}
