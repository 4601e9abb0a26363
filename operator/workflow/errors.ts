/** Codes of the original (`interrupt.reason`) that stop an operation without another try. */
export const INTERRUPT_CODES = [
  'POD_LOST',
  'POD_UNSCHEDULED',
  'DB_START_FAIL',
  'NO_AVAILABLE_NODE',
  'TARGET_NODE_UNAVAILABLE',
  'TEMP_INS_ID_NOT_FOUND',
  // The original wrote MEAT.
  'TEMP_RO_FOR_RW_META_LOST',
  'TEMP_RO_FOR_RO_META_LOST',
  'RO_META_INVALID',
  'MANY_RETRY',
  'UNKNOWN_TASK',
] as const;

export type InterruptCode = (typeof INTERRUPT_CODES)[number];

interface Details extends ErrorOptions {
  /** What happened, when the code alone does not say it. */
  message?: string;
}

/** Trying again cannot help, and nobody but the asker is concerned: the operation ends as Failed. */
export class TerminalError extends Error {
  readonly code: string;
  /** What it is about: an instance, a node, a field. */
  readonly component: string;
  /** What a person can do. */
  readonly advice: string;

  constructor(code: string, component: string, advice: string, details: Details = {}) {
    super(details.message ?? `${code} (${component})`, details);
    this.name = 'TerminalError';
    this.code = code;
    this.component = component;
    this.advice = advice;
  }
}

/** Trying again cannot help before a person has done something: the operation is Interrupted and can be resumed. */
export class InterruptError extends Error {
  readonly code: InterruptCode;
  readonly component: string;
  readonly advice: string;

  constructor(code: InterruptCode, component: string, advice: string, details: Details = {}) {
    super(details.message ?? `${code} (${component})`, details);
    this.name = 'InterruptError';
    this.code = code;
    this.component = component;
    this.advice = advice;
  }
}
