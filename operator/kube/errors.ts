/** Errors of the API server and of the way to it, classified once, here. */

/** The server's Status object, as far as it matters. */
interface Status {
  reason?: string;
  message?: string;
  code?: number;
  details?: { retryAfterSeconds?: number; causes?: { field?: string; message?: string }[] };
}

/** Reasons of ours, beside the server's own (`NotFound`, `Conflict`, `AlreadyExists`, `Expired`, `Invalid`, ...). */
export type LocalReason = 'Network' | 'Tls' | 'Timeout' | 'Aborted' | 'Silent' | 'Malformed';

interface KubeErrorFields {
  /** HTTP status; 0 when no answer came. */
  status: number;
  reason: string;
  message: string;
  retryAfterMs?: number;
  /** Fields that the server refused (422). */
  fields?: string[];
  cause?: unknown;
}

const RETRYABLE = new Set([0, 401, 408, 409, 410, 429]);

/** One failed call. `retryable`: the same intent may succeed later without a change by a person. */
export class KubeError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly retryable: boolean;
  /** How long the server asked to wait, ms. */
  readonly retryAfterMs: number | undefined;
  readonly fields: string[];

  constructor(fields: KubeErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = 'KubeError';
    this.status = fields.status;
    this.reason = fields.reason;
    this.retryable = RETRYABLE.has(fields.status) || fields.status >= 500;
    this.retryAfterMs = fields.retryAfterMs;
    this.fields = fields.fields ?? [];
  }
}

/** Is it a KubeError of this reason (`NotFound`, `Conflict`, `AlreadyExists`, ...)? */
export function isReason(error: unknown, reason: string): error is KubeError {
  return error instanceof KubeError && error.reason === reason;
}

/** The resource version or page token is too old: only a new list helps. */
export function isGone(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 410 || error.reason === 'Expired');
}

/**
 * Nobody answered, or the server failed by itself: it will be back, and then all should go on at once. Such failures are
 * repeated with short pauses however long they last; an overloaded server says 429 and how long to wait.
 */
export function isServerDown(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 0 || error.status >= 500) && error.reason !== 'Aborted';
}

/** Longest pause while the server is down, ms: back within two seconds, jitter included. */
export const SERVER_DOWN_PAUSE_MS = 1_500;

/** Was a create refused because its namespace is being deleted? Only that blames the namespace of an object with a 403. */
export function isNamespaceEnding(error: unknown): boolean {
  return isReason(error, 'Forbidden') && error.fields.includes('metadata.namespace');
}

const REASON_OF_STATUS: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
  504: 'GatewayTimeout',
};

function parseStatus(body: string): Status {
  try {
    const parsed = JSON.parse(body) as Status & { kind?: string };
    return parsed.kind === 'Status' ? parsed : {};
  } catch {
    // A proxy on the way answers in HTML or plain text.
    return { message: body.slice(0, 200) };
  }
}

/** `Retry-After` in seconds or as a date; the Status may carry it too. */
function retryAfter(header: string | undefined, status: Status, now: Date): number | undefined {
  if (header !== undefined) {
    const seconds = Number(header);
    const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now.getTime();
    if (Number.isFinite(ms)) return Math.max(0, ms);
  }
  const seconds = status.details?.retryAfterSeconds;
  return seconds === undefined ? undefined : seconds * 1000;
}

/** The error of an answer with HTTP status >= 400. `what` names the call. */
export function errorOfAnswer(
  what: string,
  answer: { status: number; body: string; retryAfter?: string | undefined },
  now: Date,
): KubeError {
  const status = parseStatus(answer.body);
  const reason = status.reason ?? REASON_OF_STATUS[answer.status] ?? `Http${answer.status}`;
  return new KubeError({
    status: answer.status,
    reason,
    message: `${what}: ${status.message ?? reason}`,
    retryAfterMs: retryAfter(answer.retryAfter, status, now),
    fields: (status.details?.causes ?? []).flatMap(cause => (cause.field ? [cause.field] : [])),
  });
}

/** The error of an ERROR event in a watch: its object is a Status. */
export function errorOfEvent(what: string, object: Status): KubeError {
  const code = object.code ?? 500;
  const reason = object.reason ?? REASON_OF_STATUS[code] ?? 'InternalError';
  return new KubeError({ status: code, reason, message: `${what}: ${object.message ?? reason}` });
}

const TLS_CODE = /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/;

function codeOf(error: unknown): string {
  for (let seen = error; seen instanceof Error; seen = seen.cause) {
    const code = (seen as { code?: unknown }).code;
    if (typeof code === 'string') return code;
  }
  return '';
}

/** The error of a call that got no answer. A KubeError passes unchanged. */
export function errorOfTransport(what: string, error: unknown, localReason?: LocalReason): KubeError {
  if (error instanceof KubeError) return error;
  const code = codeOf(error);
  const reason: LocalReason = localReason ?? (TLS_CODE.test(code) ? 'Tls' : 'Network');
  const text = error instanceof Error ? error.message : String(error);
  return new KubeError({ status: 0, reason, message: `${what}: ${code ? `${code} ` : ''}${text}`, cause: error });
}
