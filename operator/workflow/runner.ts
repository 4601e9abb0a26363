import { UserError } from '../model/errors.ts';
import { advance, begin, cancel, defaultPolicy, pauseMs, quietLeftMs, resume, settle } from './advance.ts';
import type { Failure, Outcome, Policy } from './advance.ts';
import { InterruptError, TerminalError } from './errors.ts';
import type { Journal } from './journal.ts';
import { alignWith, currentStep, isFinished } from './record.ts';
import type { OperationRecord, StepRecord } from './record.ts';
import type { Flow, Step, StepRun } from './step.ts';

/** What happens to an operation, for logs, events and metrics. */
export interface FlowEvent {
  readonly flow: string;
  readonly operation: string;
  readonly kind: 'begun' | 'done' | 'waiting' | 'failed' | 'ended';
  /** Absent for `ended`. */
  readonly step?: string;
  readonly attempt?: number;
  /** Duration of the run of the step. */
  readonly seconds?: number;
  readonly outcome?: Outcome;
  /** What was thrown, for `failed`. */
  readonly error?: unknown;
  /** The record as it is now. */
  readonly record: OperationRecord;
}

export interface RunEnvironment {
  /** Unique id of the operation. */
  readonly operation: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly policy?: Policy;
  /** Asked before each step; see `Step.critical`. */
  readonly isCancelled?: () => boolean;
  readonly observe?: (event: FlowEvent) => void;
}

export interface RunResult {
  readonly record: OperationRecord;
  /**
   * When to run again (Infinity: when something has changed); absent when the operation is finished, or interrupted and
   * thus up to a person.
   */
  readonly requeue?: { readonly afterMs: number; readonly wakeOn?: string };
}

/**
 * Runs steps in order until one waits, fails, or none is left. The journal says "Running, attempt n" before a step's
 * first effect and is not touched when nothing changed; the end of a step and the beginning of the next are one write, a
 * wait that is over soon is none.
 * Nothing but the journal is remembered between two calls, so the process may end between any two awaits.
 * @throws what the journal throws: the caller tries again, and it does not count as an attempt
 */
export async function runOnce<C>(
  flow: Flow<C>,
  journal: Journal,
  ctx: C,
  environment: RunEnvironment,
): Promise<RunResult> {
  const run = new Run(flow, journal, environment, await journal.load());
  if (!run.isOpen()) return { record: run.record };
  let requeue: RunResult['requeue'];
  while (!requeue && run.isOpen()) requeue = await run.next(ctx);
  const quietMs = run.quietLeftMs();
  if (requeue && quietMs > 0) {
    return { record: run.saved, requeue: { ...requeue, afterMs: Math.min(requeue.afterMs, quietMs) } };
  }
  await run.save();
  if (run.isOpen()) return { record: run.record, requeue };
  run.report({ kind: 'ended' });
  return { record: run.record };
}

/** Cancels an operation that does not run now (queued, interrupted), or one that runs and stands at a safe point. */
export async function requestCancel<C>(flow: Flow<C>, journal: Journal, now: number): Promise<OperationRecord> {
  return change(journal, record => cancel(alignWith(record, flow), flow, now));
}

/** Queues an interrupted operation again, with fresh counters. Others are left as they are. */
export async function requestResume(journal: Journal): Promise<OperationRecord> {
  return change(journal, resume);
}

async function change(journal: Journal, edit: (record: OperationRecord) => OperationRecord): Promise<OperationRecord> {
  const base = await journal.load();
  const next = edit(base);
  if (next !== base) await journal.save(next, base);
  return next;
}

class Run<C> {
  record: OperationRecord;
  /** As the journal has it. */
  saved: OperationRecord;
  private readonly flow: Flow<C>;
  private readonly journal: Journal;
  private readonly environment: RunEnvironment;
  private readonly policy: Policy;

  constructor(flow: Flow<C>, journal: Journal, environment: RunEnvironment, loaded: OperationRecord) {
    this.flow = flow;
    this.journal = journal;
    this.environment = environment;
    this.policy = environment.policy ?? defaultPolicy;
    this.saved = loaded;
    this.record = isFinished(loaded) ? loaded : alignWith(loaded, flow);
  }

  isOpen(): boolean {
    return !isFinished(this.record) && this.record.phase !== 'Interrupted';
  }

  /** Runs the current step once, if nothing forbids it. Returns when to come back, or nothing to go on at once. */
  async next(ctx: C): Promise<RunResult['requeue']> {
    const { now, isCancelled } = this.environment;
    this.record = settle(this.record, now());
    if (isCancelled?.()) this.record = cancel(this.record, this.flow, now());
    if (!this.isOpen()) return undefined;
    const pause = pauseMs(this.record, now());
    if (pause > 0) return { afterMs: pause };
    await this.announce();
    const step = this.flow.steps.find(candidate => candidate.name === currentStep(this.record)?.name)!;
    const outcome = await this.attempt(step, ctx);
    return outcome.kind === 'done' ? undefined : this.comeBack(outcome);
  }

  quietLeftMs(): number {
    return quietLeftMs(this.saved, this.record, this.environment.now(), this.policy);
  }

  async save(): Promise<void> {
    if (this.record === this.saved) return;
    await this.journal.save(this.record, this.saved);
    this.saved = this.record;
  }

  report(event: Pick<FlowEvent, 'kind'> & Partial<FlowEvent>): void {
    const { operation, observe } = this.environment;
    observe?.({ flow: this.flow.name, operation, record: this.record, ...event });
  }

  private async announce(): Promise<void> {
    const announced = begin(this.record, this.environment.now());
    const isNew = announced !== this.record;
    this.record = announced;
    await this.save();
    const step = currentStep(announced);
    if (isNew) this.report({ kind: 'begun', step: step?.name, attempt: step?.attempts });
  }

  private async attempt(step: Step<C>, ctx: C): Promise<Outcome> {
    const { now, random, operation } = this.environment;
    const before = currentStep(this.record)!;
    const began = now();
    const { outcome, error } = await runStep(step, ctx, {
      operation,
      attempt: before.attempts,
      data: this.record.data,
    });
    this.record = advance(this.record, outcome, { now: now(), jitter: random() }, this.policy);
    const kind = eventKind(
      outcome,
      this.record.steps.find(({ name }) => name === step.name),
    );
    const isNews = !this.record.steps.includes(before) && this.quietLeftMs() === 0;
    const seconds = (now() - began) / 1000;
    if (isNews) this.report({ kind, step: step.name, attempt: before.attempts, seconds, outcome, error });
    return outcome;
  }

  private comeBack(outcome: Exclude<Outcome, { kind: 'done' }>): RunResult['requeue'] {
    if (!this.isOpen()) return undefined;
    const { until } = currentStep(this.record) ?? {};
    const left = until === undefined ? Infinity : Math.max(0, Date.parse(until) - this.environment.now());
    if (outcome.kind === 'failed' || currentStep(this.record)?.state === 'Retrying') return { afterMs: left };
    return { afterMs: Math.min(outcome.retryInMs ?? left, left), wakeOn: outcome.wakeOn };
  }
}

interface Attempt {
  outcome: Outcome;
  error?: unknown;
}

async function runStep<C>(step: Step<C>, ctx: C, run: StepRun): Promise<Attempt> {
  try {
    const result = await step.run(ctx, run);
    return { outcome: result.kind === 'wait' ? { ...result, limitMs: step.waitLimitMs } : result };
  } catch (error) {
    return { outcome: failure(error), error };
  }
}

/** What a thrown value means for the operation. */
function failure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof TerminalError || error instanceof InterruptError) {
    const { code, component, advice } = error;
    const verdict = error instanceof TerminalError ? 'fail' : 'interrupt';
    return { kind: 'failed', verdict, reason: code, message, component, advice };
  }
  if (error instanceof UserError) {
    const advice = 'correct the field and ask again';
    return { kind: 'failed', verdict: 'fail', reason: 'INVALID_REQUEST', message, component: error.field, advice };
  }
  return { kind: 'failed', verdict: 'retry', reason: 'StepFailed', message };
}

function eventKind(outcome: Outcome, after: StepRecord | undefined): FlowEvent['kind'] {
  if (outcome.kind === 'done') return 'done';
  return after?.state === 'Waiting' ? 'waiting' : 'failed';
}
