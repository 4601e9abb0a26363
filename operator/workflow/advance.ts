import type { Done, Flow, Wait } from './step.ts';
import { currentStep, isFinished } from './record.ts';
import type { OperationRecord, StepRecord } from './record.ts';

/** The decisions of the runner: record in, record out. A function that changes nothing returns the same object. */

export interface Policy {
  /** Failed attempts of one step before the operation is interrupted. */
  readonly maxAttempts: number;
  /** Pause after the first failed attempt in ms; doubles with each further one. */
  readonly firstBackoffMs: number;
  /** No pause is longer than this, in ms. */
  readonly maxBackoffMs: number;
  /** How long a wait may last without progress in ms, for steps that do not say. */
  readonly waitLimitMs: number;
  /** A wait is not worth a write before its step has taken this long, in ms: most are over by then. */
  readonly quietMs: number;
}

/** Ten attempts as in the original; with these pauses they span about four minutes. */
export const defaultPolicy: Policy = {
  maxAttempts: 10,
  firstBackoffMs: 1_000,
  maxBackoffMs: 60_000,
  waitLimitMs: 600_000,
  quietMs: 2_000,
};

/** A moment of the outside world. */
export interface Instant {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** 0 to 1, random: spreads the retries of operations that failed together. */
  readonly jitter: number;
}

export interface Failure {
  readonly kind: 'failed';
  readonly verdict: 'retry' | 'fail' | 'interrupt';
  readonly reason: string;
  readonly message: string;
  readonly component?: string;
  readonly advice?: string;
}

interface LimitedWait extends Wait {
  /** The step's own wait limit, if it has one; Infinity: none at all. */
  readonly limitMs?: number;
}

/** What one run of a step ended with. */
export type Outcome = Done | LimitedWait | Failure;

const ADVICE_AFTER_RETRIES = 'remove the cause that the message names, then resume the operation';

/** Longest text kept of one error: status is read by people and travels with every watch event. */
const MESSAGE_LIMIT = 1024;

/** Pause in ms after that many failed attempts: doubling, capped, 10 % more or less by jitter. */
export function backoffMs(attempts: number, jitter: number, policy: Policy): number {
  const plain = Math.min(policy.firstBackoffMs * 2 ** (attempts - 1), policy.maxBackoffMs);
  return Math.round(plain * (0.9 + 0.2 * jitter));
}

/**
 * What must be in the journal before the current step runs. A step that waits, or that was cut off by a restart, is
 * announced already: nothing changes, nothing is written, and no attempt is counted.
 */
export function begin(record: OperationRecord, now: number): OperationRecord {
  const step = currentStep(record);
  if (!step || step.state === 'Running' || step.state === 'Waiting') return record;
  const time = rfc3339(now);
  const begun: StepRecord = {
    name: step.name,
    state: 'Running',
    attempts: step.attempts + 1,
    startedAt: step.startedAt ?? time,
  };
  return {
    ...quiet(replaceStep(record, begun)),
    phase: 'Running',
    startedAt: record.startedAt ?? time,
  };
}

/** The record after the current step ran. */
export function advance(record: OperationRecord, outcome: Outcome, at: Instant, policy: Policy): OperationRecord {
  const step = currentStep(record);
  if (!step) return record;
  if (outcome.kind === 'done') return afterDone(record, step, outcome, at.now);
  if (outcome.kind === 'failed') return afterFailure(record, step, outcome, { at, policy });
  return afterWait(record, outcome, at, policy);
}

/** The record closed when no step is left to run (a flow may have become shorter with a new release). */
export function settle(record: OperationRecord, now: number): OperationRecord {
  if (isFinished(record) || currentStep(record)) return record;
  return { ...quiet(record), phase: 'Succeeded', finishedAt: rfc3339(now) };
}

/** Milliseconds until the current step may run: 0, or what is left of the back-off of a failed attempt. */
export function pauseMs(record: OperationRecord, now: number): number {
  const step = currentStep(record);
  if (step?.state !== 'Retrying' || step.until === undefined) return 0;
  return Math.max(0, Date.parse(step.until) - now);
}

/** Milliseconds until a wait of the current step is to be written down; 0 when the journal tells of one already. */
export function quietLeftMs(saved: OperationRecord, record: OperationRecord, now: number, policy: Policy): number {
  const [told, step] = [currentStep(saved), currentStep(record)];
  const isFirst = step?.state === 'Waiting' && told?.name === step.name && told.state === 'Running';
  return isFirst ? Math.max(0, Date.parse(step.startedAt ?? '') + policy.quietMs - now) : 0;
}

/** The record cancelled, if it stands at a safe point; else unchanged, and to be asked again after the next step. */
export function cancel(record: OperationRecord, flow: Flow<never>, now: number): OperationRecord {
  if (isFinished(record)) return record;
  const untouched = record.phase === 'Pending' && record.startedAt === undefined;
  const atRest = untouched || record.phase === 'Interrupted';
  const name = currentStep(record)?.name;
  if (!atRest && flow.steps.some(step => step.name === name && step.critical)) return record;
  return {
    ...quiet(record),
    phase: 'Cancelled',
    reason: 'CANCELLED',
    message: name === undefined ? 'cancelled on request' : `cancelled on request before ${name} was done`,
    finishedAt: rfc3339(now),
  };
}

/** An interrupted operation queued again: what is done stays done, the failed step has all its attempts anew. */
export function resume(record: OperationRecord): OperationRecord {
  if (record.phase !== 'Interrupted') return record;
  const step = currentStep(record);
  const fresh = step && { name: step.name, state: 'Pending' as const, attempts: 0, startedAt: step.startedAt };
  return { ...quiet(fresh ? replaceStep(record, fresh) : record), phase: 'Pending' };
}

function afterDone(record: OperationRecord, step: StepRecord, outcome: Done, now: number): OperationRecord {
  const { name, attempts, startedAt } = step;
  const ended = replaceStep(record, { name, state: 'Succeeded', attempts, startedAt, finishedAt: rfc3339(now) });
  const data = outcome.data ? { ...record.data, ...outcome.data } : record.data;
  return settle({ ...quiet(ended), phase: 'Running', data }, now);
}

function afterWait(record: OperationRecord, outcome: LimitedWait, at: Instant, policy: Policy): OperationRecord {
  const step = currentStep(record)!;
  const limitMs = outcome.limitMs ?? policy.waitLimitMs;
  const isSame = step.state === 'Waiting' && step.reason === outcome.reason && step.progress === outcome.progress;
  const until = endOfWait(limitMs, at.now, isSame ? step.until : undefined);
  if (!isSame || until !== step.until) return waiting(record, step, outcome, until);
  if (until === undefined || at.now < Date.parse(until)) {
    return step.message === outcome.message ? record : waiting(record, step, outcome, until);
  }
  const message = `${outcome.message} (no progress within ${limitMs / 1000} s)`;
  const failed: Failure = { kind: 'failed', verdict: 'retry', reason: outcome.reason, message };
  return afterFailure(record, step, failed, { at, policy });
}

/** Undefined: time does not end it. */
function endOfWait(limitMs: number, now: number, before: string | undefined): string | undefined {
  return limitMs === Infinity ? undefined : (before ?? rfc3339(now + limitMs));
}

function waiting(record: OperationRecord, step: StepRecord, outcome: Wait, until?: string): OperationRecord {
  const { reason, message, progress } = outcome;
  const { name, attempts, startedAt } = step;
  const waits: StepRecord = { name, state: 'Waiting', attempts, startedAt, until, reason, message, progress };
  return { ...quiet(replaceStep(record, waits)), phase: 'Waiting', reason, message };
}

function afterFailure(
  record: OperationRecord,
  step: StepRecord,
  failure: Failure,
  { at, policy }: { at: Instant; policy: Policy },
): OperationRecord {
  const message = failure.message.slice(0, MESSAGE_LIMIT);
  const { name, attempts, startedAt } = step;
  const failed = { name, attempts, startedAt, finishedAt: rfc3339(at.now), reason: failure.reason, message };
  if (failure.verdict === 'retry' && attempts < policy.maxAttempts) {
    const until = rfc3339(at.now + backoffMs(attempts, at.jitter, policy));
    return {
      ...quiet(replaceStep(record, { ...failed, state: 'Retrying', until })),
      phase: 'Waiting',
      reason: failure.reason,
      message: `attempt ${attempts} of ${policy.maxAttempts} failed: ${message}`,
    };
  }
  const usedUp = failure.verdict === 'retry';
  return {
    ...quiet(replaceStep(record, { ...failed, state: 'Failed' })),
    phase: failure.verdict === 'fail' ? 'Failed' : 'Interrupted',
    reason: usedUp ? 'MANY_RETRY' : failure.reason,
    component: failure.component ?? name,
    message: usedUp ? `${attempts} attempts failed, the last one: ${message}` : message,
    advice: failure.advice ?? ADVICE_AFTER_RETRIES,
    ...(failure.verdict === 'fail' ? { finishedAt: failed.finishedAt } : {}),
  };
}

/** Without the words about the state before. */
function quiet(record: OperationRecord): OperationRecord {
  const { phase, steps, data, startedAt, finishedAt } = record;
  return { phase, steps, data, startedAt, finishedAt };
}

function replaceStep(record: OperationRecord, changed: StepRecord): OperationRecord {
  return { ...record, steps: record.steps.map(step => (step.name === changed.name ? changed : step)) };
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
