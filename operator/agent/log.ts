/** Fields of a log line. Never a secret: nothing here is redacted. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

/**
 * One JSON object per line, in the form of the other parts' logs. Own code instead of a logging package because the
 * agent shares its memory limit with the engine.
 */
export function jsonLog(write: (line: string) => void, base: Fields, now = () => new Date()): Log {
  const at =
    (level: string) =>
    (message: string, fields: Fields = {}): void =>
      write(`${JSON.stringify({ timestamp: now().toISOString(), level, message, ...base, ...fields })}\n`);
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

/** The text of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
