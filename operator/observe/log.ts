import { createLogger, format, transports } from 'winston';
import type { Logger as Winston } from 'winston';
import type { Writable } from 'node:stream';
import { SecretValues } from './redact.ts';
import { toPlain } from './serialize.ts';
import type { Plain } from './serialize.ts';

/** Logs of all parts: one JSON object per line. docs/operations/logs.md lists the fields. */

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a line is about. */
export interface LogContext {
  namespace?: string;
  cluster?: string;
  /** Instance id within the cluster. */
  instance?: string;
  /** Name of the MPDOperation. */
  operation?: string;
  step?: string;
  controller?: string;
  [field: string]: unknown;
}

type Say = (message: string, meta?: object) => void;

/** `meta`: further fields; an Error is best given as `{ error }`. The functions may be passed on alone. */
export interface Logger {
  readonly debug: Say;
  readonly info: Say;
  readonly warn: Say;
  readonly error: Say;
  /** A logger that adds these fields to each of its lines. */
  child(context: LogContext): Logger;
}

export interface Log extends Logger {
  level: LogLevel;
  /** This value will not appear in any line from now on, in no form that is usual. */
  redact(value: string): void;
  /** Resolves when every line is handed to the operating system. Later lines are dropped. */
  close(): Promise<void>;
}

export interface LogOptions {
  /** Which part of the program this process is (`operator`, `agent`, ...). */
  part: string;
  level?: LogLevel;
  /** Default: stdout. Errors of it (a reader that is gone) are ignored: a log must not end the program. */
  out?: Writable;
  now?: () => Date;
}

/** Fields that the logger itself writes; the same name in meta gets an underscore. */
const OWN_FIELDS = new Set(['time', 'level', 'message', 'part']);

/** Starts the log of a process. */
export function createLog({ part, level = 'info', out = process.stdout, now = () => new Date() }: LogOptions): Log {
  const secrets = new SecretValues();
  const transport = new transports.Stream({ stream: out });
  const winston = createLogger({
    level,
    levels: Object.fromEntries(LOG_LEVELS.map((name, rank) => [name, rank])),
    format: format.json({ deterministic: false }),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston types its class as an instance
    transports: transport,
  });
  const ignore = (): void => undefined;
  out.on('error', ignore);
  let closing: Promise<void> | undefined;

  const mask = (text: string): string => secrets.mask(text);
  const plain = (meta: object): Record<string, Plain> => plainMeta(meta, mask);
  const write: Write = (name, message, fields) => {
    if (closing || !winston.isLevelEnabled(name)) return;
    // One argument: with two, winston would join messages and lose errors.
    winston.log({ time: now().toISOString(), level: name, message: mask(message), part, ...fields() });
  };
  const close = async (): Promise<void> => {
    await flush(winston, transport);
    await new Promise<void>(resolve => (out.writable ? out.write('', () => resolve()) : resolve()));
    out.off('error', ignore);
  };
  return {
    ...loggerOf(write, plain, {}),
    get level() {
      return winston.level as LogLevel;
    },
    set level(wanted: LogLevel) {
      winston.level = wanted;
    },
    redact: value => secrets.add(value),
    close: () => (closing ??= close()),
  };
}

type Write = (level: LogLevel, message: string, fields: () => Record<string, Plain>) => void;

/** `context` is plain already; meta is made plain only for lines that are written. */
function loggerOf(
  write: Write,
  plain: (meta: object) => Record<string, Plain>,
  context: Record<string, Plain>,
): Logger {
  const at =
    (level: LogLevel): Say =>
    (message, meta = {}) =>
      write(level, message, () => ({ ...context, ...plain(meta) }));
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: more => loggerOf(write, plain, { ...context, ...plain(more) }),
  };
}

function plainMeta(meta: object, mask: (text: string) => string): Record<string, Plain> {
  const fields = toPlain(meta instanceof Error ? { error: meta } : meta, mask);
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return { meta: fields ?? null };
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [OWN_FIELDS.has(name) ? `_${name}` : name, value]),
  );
}

/** The transport's `finish` and not the logger's: that comes before the last lines are written. */
async function flush(winston: Winston, transport: Writable): Promise<void> {
  await new Promise<void>(resolve => {
    transport.once('finish', resolve);
    winston.end();
  });
}
