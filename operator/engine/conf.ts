/**
 * The engine's small file formats, written so that any value comes back as it was given. The rules are those of
 * PostgreSQL's guc-file.l, pg_hba.conf, libpq's conninfo and passfile.
 */

const SETTING_NAME = /^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)?$/;
/** Directives of the same file that are no settings; as a name they would pull other files in. */
const DIRECTIVES = new Set(['include', 'include_dir', 'include_if_exists']);

export const isSettingName = (name: string): boolean => SETTING_NAME.test(name) && !DIRECTIVES.has(name.toLowerCase());

/** Can the file express this value? NUL ends a C string. */
export const isSettingValue = (value: string): boolean => !value.includes('\0');

/** Lines of postgresql.conf, one setting each, in the order given. @throws Error on a name or value it cannot express */
export function formatConf(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => {
      if (!isSettingName(name) || !isSettingValue(value))
        throw new Error(`"${name}" cannot be written to a configuration`);
      return `${name} = ${quoteConf(value)}\n`;
    })
    .join('');
}

const CONF_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "''",
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

const quoteConf = (value: string): string => `'${value.replace(/[\\'\n\r\t\b\f]/g, found => CONF_ESCAPES[found]!)}'`;

const CONF_LINE = /^\s*([A-Za-z_][\w$.]*)\s*(?:=\s*|\s+)('(?:[^'\\]|\\.|'')*'|[^\s'#]+)\s*(?:#.*)?$/;
const CONF_UNESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

/** Settings of a configuration file; the last line of a name wins, as in the engine. Lines it cannot read are skipped. */
export function parseConf(text: string): Map<string, string> {
  const settings = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = CONF_LINE.exec(line);
    if (match) settings.set(match[1]!, unquoteConf(match[2]!));
  }
  return settings;
}

function unquoteConf(token: string): string {
  if (!token.startsWith("'")) return token;
  return token
    .slice(1, -1)
    .replace(/''|\\([0-7]{1,3})|\\(.)/g, (_found, octal: string | undefined, letter: string | undefined) => {
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      return letter === undefined ? "'" : (CONF_UNESCAPES[letter] ?? letter);
    });
}

/** A configuration file without the settings that `drop` names; comments and other lines stay as they are. */
export function withoutSettings(text: string, drop: (name: string) => boolean): string {
  return text
    .split('\n')
    .filter(line => {
      const name = CONF_LINE.exec(line)?.[1];
      return name === undefined || !drop(name.toLowerCase());
    })
    .join('\n');
}

/** A libpq connection string; every value quoted. @throws Error on a keyword it cannot express or a NUL character */
export function formatConninfo(parameters: Readonly<Record<string, string | number>>): string {
  return Object.entries(parameters)
    .map(([keyword, value]) => {
      const text = String(value);
      if (!/^[a-z_]+$/.test(keyword) || text.includes('\0'))
        throw new Error(`connection parameter "${keyword}" is not valid`);
      return `${keyword}='${text.replace(/[\\']/g, '\\$&')}'`;
    })
    .join(' ');
}

/** Parameters of a connection string in the keyword form, quoted or not. */
export function parseConninfo(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const match of text.matchAll(/([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\[^])*)'|((?:[^\s\\]|\\[^])*))/g)) {
    parameters.set(match[1]!, (match[2] ?? match[3] ?? '').replace(/\\([^])/g, '$1'));
  }
  return parameters;
}

/**
 * One line of a passfile that fits any host and database.
 * @throws Error when user or password hold a line break or NUL, which the format cannot express
 */
export function formatPassFile(user: string, password: string): string {
  if (/[\n\r\0]/.test(user + password)) throw new Error('a passfile cannot hold line breaks or NUL characters');
  const escape = (text: string) => text.replace(/[\\:]/g, '\\$&');
  return `*:*:*:${escape(user)}:${escape(password)}\n`;
}

/** A name in pg_hba.conf or pg_ident.conf, quoted so that it is never taken for a keyword. */
export function quoteHba(name: string): string {
  if (/[\n\r\0]/.test(name)) throw new Error('a name in pg_hba.conf cannot hold line breaks or NUL characters');
  return `"${name.replaceAll('"', '""')}"`;
}
