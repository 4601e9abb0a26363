/** Keeps secrets out of logs: by the name of a field, by their form in a text, and by value. */

export const REDACTED = '[redacted]';

/** Ends of field names, without case and separators, whose values are secret. `key` alone is the key of a queue. */
const SECRET_NAME =
  /(?:password|passwd|passphrase|pwd|secret|token|credentials?|authorization|cookie|(?:api|private|tls|client|ca)key|keydata|verifier)$/;

/** Every repetition next to another one is bounded, so that no text makes the search take quadratic time. */
const SECRET_FORMS: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g, REDACTED],
  [/\b(Bearer|Basic)\s{1,4}[\w.~+/=-]+/gi, `$1 ${REDACTED}`],
  // User information of a URL, such as postgresql://app:...@host.
  [/(\b[a-z][a-z\d+.-]{0,30}:\/\/[^\s:/@]{0,128}:)[^\s@]{1,256}@/gi, `$1${REDACTED}@`],
  // A conninfo, a setting, or SQL: password=..., PASSWORD '...'. ("password authentication failed" is none.)
  [
    /\b((?:password|passwd|pwd|passphrase)["']?\s{0,4}[=:]?\s{0,4})(?:E?'(?:[^'\\]|''|\\.)*(?:'|$)|"(?:[^"\\]|\\.)*(?:"|$))/gi,
    `$1${REDACTED}`,
  ],
  [/\b((?:password|passwd|pwd|passphrase)["']?\s{0,4}[=:]\s{0,4})[^\s,;&}'"[]+/gi, `$1${REDACTED}`],
  [/\bSCRAM-SHA-256\$[^\s'"]+/g, REDACTED],
];

/** True for field names such as `Password`, `tls.key`, `client-secret`, `bearerToken`. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name.toLowerCase().replace(/[^a-z\d]/g, ''));
}

/** Values shorter than this are not looked for: masking "a" everywhere would only destroy the log. */
const SHORTEST = 4;

/**
 * Values that must never be printed, whatever field or message they turn up in. Found by their first characters, so
 * that the price of a text grows with its length and hardly with the number of secrets.
 */
export class SecretValues {
  private readonly byStart = new Map<string, string[]>();

  /** Also covers the value as Base64, in a URL and within JSON. Line breaks at its end do not count. */
  add(value: string): void {
    const trimmed = value.trim();
    const quoted = JSON.stringify(trimmed).slice(1, -1);
    const base64 = [value, trimmed].map(text => Buffer.from(text).toString('base64').replace(/=+$/, ''));
    for (const form of [trimmed, quoted, encodeURIComponent(trimmed), ...base64]) this.addForm(form);
  }

  /** The text without any of the values and without what has the form of a secret. */
  mask(text: string): string {
    let masked = text;
    for (const [form, replacement] of SECRET_FORMS) masked = masked.replace(form, replacement);
    return this.byStart.size === 0 ? masked : this.maskValues(masked);
  }

  private addForm(form: string): void {
    if (form.length < SHORTEST) return;
    const start = form.slice(0, SHORTEST);
    const forms = this.byStart.get(start) ?? [];
    if (forms.includes(form)) return;
    // The longest first: a value may be the beginning of another one.
    this.byStart.set(
      start,
      [...forms, form].sort((a, b) => b.length - a.length),
    );
  }

  private maskValues(text: string): string {
    let out = '';
    let from = 0;
    for (let i = 0; i <= text.length - SHORTEST; i++) {
      const found = this.byStart.get(text.slice(i, i + SHORTEST))?.find(form => text.startsWith(form, i));
      if (found === undefined) continue;
      out += text.slice(from, i) + REDACTED;
      from = i + found.length;
      i = from - 1;
    }
    return out + text.slice(from);
  }
}
