import type { Allowed, ParameterItem } from './types.ts';
import { toBaseUnit } from './units.ts';
import { BadValue } from './values.ts';

/** The original's forms: `[a-b]`, `[x|y]`, a regular expression, or nothing. */
export function parseAllowed(text: string): Allowed | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const range = /^\[(-?[\d.]+(?:e[+-]?\d+)?)-(-?[\d.]+(?:e[+-]?\d+)?)\]$/i.exec(trimmed);
  if (range) {
    const [min, max] = [Number(range[1]), Number(range[2])];
    if (!(min <= max)) throw new BadValue(`"${text}" is an empty range`, 'write [smallest-largest]');
    return { form: 'range', text: trimmed, min, max };
  }
  const list = /^\[([^[\]]*)\]$/.exec(trimmed);
  if (list) return { form: 'list', text: trimmed, values: list[1]!.split('|') };
  return { form: 'pattern', text: trimmed, pattern: parsePattern(trimmed) };
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch {
    throw new BadValue(`"${text}" is neither a range, a list nor a regular expression`, 'write [a-b], [x|y] or ^...$');
  }
}

/** Forms of truth that the engine takes; lists write only `on` and `off`. */
const BOOL_WORDS: Readonly<Record<string, string>> = {
  true: 'on',
  yes: 'on',
  '1': 'on',
  false: 'off',
  no: 'off',
  '0': 'off',
};

/**
 * Value as it goes to the engine, or why it cannot.
 * @returns the value, words in the engine's own form
 * @throws BadValue with the allowed values
 */
export function checkValue(item: ParameterItem, value: string): string {
  // A line break would end the setting and begin another one in the configuration file.
  if (/\p{Cc}/u.test(value)) throw new BadValue('has a control character', 'write the value on one line');
  if (value.length > 8192) throw new BadValue('is longer than 8192 characters', 'write a shorter value');
  switch (item.allowed?.form) {
    case 'range':
      return inRange(item, item.allowed, value);
    case 'list':
      return inList(item.allowed, value);
    case 'pattern':
      return matches(item.allowed, value);
    case undefined:
      return value;
  }
}

function inRange(item: ParameterItem, { min, max }: Extract<Allowed, { form: 'range' }>, value: string): string {
  const unit = item.baseUnit ? ` (in ${item.baseUnit}, or with a unit)` : '';
  const remedy = `write a number from ${min} to ${max}${unit}`;
  const number = toBaseUnit(value, item.baseUnit);
  if (number === undefined) throw new BadValue(`"${value}" is not a number`, remedy);
  if (item.kind === 'INT' && item.baseUnit === undefined && !Number.isInteger(number)) {
    throw new BadValue(`"${value}" is not a whole number`, remedy);
  }
  if (number < min || number > max) throw new BadValue(`"${value}" is out of range`, remedy);
  return value;
}

function inList({ values }: Extract<Allowed, { form: 'list' }>, value: string): string {
  const word = value.toLowerCase();
  if (values.includes(word)) return word;
  const bool = BOOL_WORDS[word];
  if (bool !== undefined && values.includes(bool)) return bool;
  throw new BadValue(`"${value}" is not allowed`, `write one of ${values.join(', ')}`);
}

/** Patterns of the original hold the quotes that its values had. */
function matches({ pattern, text }: Extract<Allowed, { form: 'pattern' }>, value: string): string {
  if (pattern.test(value) || pattern.test(`'${value}'`)) return value;
  throw new BadValue(`"${value}" is not allowed`, `write a value that matches ${text}`);
}
