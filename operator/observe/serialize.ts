import { isSecretName, REDACTED } from './redact.ts';

/** Turns what a caller logs into plain JSON: bounded, without cycles, without secrets. Never throws. */

export type Mask = (text: string) => string;
export type Plain = string | number | boolean | null | Plain[] | { [name: string]: Plain };

const LONGEST_TEXT = 4_096;
const LONGEST_STACK = 2_048;
const MOST_ITEMS = 50;
const DEEPEST = 6;
const LONGEST_CHAIN = 8;

/** Fields of errors that help and hold no payload. Requests, answers, bodies and headers are left out on purpose. */
const ERROR_FIELDS = [
  'code',
  'reason',
  'status',
  'statusCode',
  'syscall',
  'address',
  'port',
  'field',
  'component',
  'advice',
  'signal',
] as const;

/** `undefined` for what JSON has no place for: functions, symbols, undefined. */
export function toPlain(value: unknown, mask: Mask, above: readonly object[] = []): Plain | undefined {
  try {
    return typeof value === 'object' && value !== null ? plainObject(value, mask, above) : plainScalar(value, mask);
  } catch {
    // A getter or proxy that throws must not take the program down with it.
    return '[unreadable]';
  }
}

function plainScalar(value: unknown, mask: Mask): Plain | undefined {
  if (typeof value === 'string') return cut(mask(value), LONGEST_TEXT);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'boolean' || value === null ? value : undefined;
}

function plainObject(value: object, mask: Mask, above: readonly object[]): Plain {
  if (value instanceof Error) return plainError(value, mask, above);
  const text = asText(value);
  if (text !== undefined) return cut(mask(text), LONGEST_TEXT);
  if (above.includes(value)) return '[circular]';
  if (above.length >= DEEPEST) return '[too deep]';
  const inside = [...above, value];
  if (Array.isArray(value) || value instanceof Set) return plainList([...(value as Iterable<unknown>)], mask, inside);
  const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value);
  const fields = entries.map(([name, field]): [string, unknown] => [String(name), field]);
  return plainFields(fields, mask, inside);
}

/** Objects that are one word to a reader. */
function asText(value: object): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  return value instanceof URL ? value.href : undefined;
}

function plainList(items: readonly unknown[], mask: Mask, above: readonly object[]): Plain[] {
  const kept = items.slice(0, MOST_ITEMS).map(item => toPlain(item, mask, above) ?? null);
  return items.length > MOST_ITEMS ? [...kept, `[${items.length - MOST_ITEMS} more]`] : kept;
}

function plainFields(entries: readonly [string, unknown][], mask: Mask, above: readonly object[]): Plain {
  const fields: Record<string, Plain> = {};
  for (const [name, value] of entries.slice(0, MOST_ITEMS)) {
    const plain = isSecretName(name) && value != null ? REDACTED : toPlain(value, mask, above);
    if (plain !== undefined) fields[mask(name)] = plain;
  }
  if (entries.length > MOST_ITEMS) fields['...'] = `[${entries.length - MOST_ITEMS} more]`;
  return fields;
}

function plainError(error: Error, mask: Mask, above: readonly object[]): Plain {
  if (above.includes(error) || above.length >= LONGEST_CHAIN) return '[circular]';
  const inside = [...above, error];
  const plain: Record<string, Plain> = { name: error.name, message: cut(mask(error.message), LONGEST_TEXT) };
  Object.assign(plain, knownFields(error, mask));
  if (above.length === 0 && error.stack) plain.stack = cut(mask(frames(error.stack)), LONGEST_STACK);
  if (error.cause !== undefined) plain.cause = toPlain(error.cause, mask, inside) ?? '[unknown]';
  if (error instanceof AggregateError) plain.errors = plainList(error.errors, mask, inside);
  return plain;
}

function knownFields(error: Error, mask: Mask): Record<string, Plain> {
  const all = error as unknown as Record<string, unknown>;
  const known = ERROR_FIELDS.map(name => [name, plainScalar(all[name], mask)] as const);
  return Object.fromEntries(known.filter((field): field is [(typeof field)[0], Plain] => field[1] != null));
}

/** The stack without its first lines, which repeat name and message. */
function frames(stack: string): string {
  const first = stack.search(/^\s+at /m);
  return first < 0 ? stack : stack.slice(first).trim();
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)} [${text.length - limit} more]`;
}
