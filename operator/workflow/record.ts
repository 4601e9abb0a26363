import type { Flow } from './step.ts';

/** The journal of one operation, as its status shows it. Times are RFC 3339 in UTC with milliseconds. */

export type Phase = 'Pending' | 'Running' | 'Waiting' | 'Interrupted' | 'Succeeded' | 'Failed' | 'Cancelled';

/** `Retrying`: the last attempt failed and the next one waits for its back-off. */
export type StepState = 'Pending' | 'Running' | 'Waiting' | 'Retrying' | 'Succeeded' | 'Failed';

export interface StepRecord {
  readonly name: string;
  readonly state: StepState;
  /** Attempts begun since the operation began or was resumed. */
  readonly attempts: number;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /**
   * Waiting: when this wait counts as failed, unless there is progress; absent where a person or a host ends it. Retrying:
   * when the next attempt is due.
   */
  readonly until?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly progress?: string;
}

export interface OperationRecord {
  readonly phase: Phase;
  readonly steps: readonly StepRecord[];
  readonly reason?: string;
  /** What an interruption or failure is about. */
  readonly component?: string;
  readonly message?: string;
  /** What a person can do about an interruption or failure. */
  readonly advice?: string;
  readonly data: Readonly<Record<string, string>>;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

/** An operation that nobody has looked at yet. */
export const emptyRecord: OperationRecord = { phase: 'Pending', steps: [], data: {} };

/** Nothing will happen any more. (An interrupted operation can be resumed, so it is not finished.) */
export function isFinished(record: Pick<OperationRecord, 'phase'>): boolean {
  return record.phase === 'Succeeded' || record.phase === 'Failed' || record.phase === 'Cancelled';
}

/** Ended by somebody else than its flow, which runs no more. @param now RFC 3339 */
export const cancelled = (record: OperationRecord, message: string, now: string): OperationRecord => ({
  ...record,
  phase: 'Cancelled',
  reason: 'CANCELLED',
  message,
  finishedAt: now,
});

/** The step whose turn it is: the first one that is not done. */
export function currentStep(record: OperationRecord): StepRecord | undefined {
  return record.steps.find(step => step.state !== 'Succeeded');
}

/**
 * The record in the order of the flow. A new release may have added, dropped or moved steps while the operation ran:
 * what is done stays done, what is unknown goes, what is new runs. (Each step looks first, so running one more is safe.)
 */
export function alignWith(record: OperationRecord, flow: Flow<never>): OperationRecord {
  const names = flow.steps.map(step => step.name);
  if (names.length === record.steps.length && names.every((name, i) => record.steps[i]?.name === name)) return record;
  const known = new Map(record.steps.map(step => [step.name, step]));
  return { ...record, steps: names.map(name => known.get(name) ?? { name, state: 'Pending', attempts: 0 }) };
}
