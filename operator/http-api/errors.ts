/** What the API answers instead of doing what it was asked: an HTTP status, a word and a sentence with the remedy. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  /** Field of the request that is wrong. */
  readonly field: string | undefined;

  constructor(status: number, reason: string, message: string, detail: { field?: string; cause?: unknown } = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
    this.field = detail.field;
  }
}
