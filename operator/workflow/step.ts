/**
 * A flow is a list of named steps. A step looks at the world, does its part if that is not done yet, and says what
 * is to be seen now: `done`, or `wait` with a reason that a person can read. It throws when its part failed: any
 * error is tried again, but for TerminalError, InterruptError and UserError. A step may be killed between any two of
 * its calls and is then run again from its beginning, so it never assumes that it runs for the first time.
 */

/** What the runner tells a step about the run that it is in. */
export interface StepRun {
  /** Unique id of the operation. With step name and attempt it makes request ids that survive a restart. */
  readonly operation: string;
  /** 1 for the first attempt. A restart of the controller repeats an attempt, it does not add one. */
  readonly attempt: number;
  /** What earlier steps of this operation have kept. */
  readonly data: Readonly<Record<string, string>>;
}

/** For `Step.waitLimitMs`: a person or a host ends the wait, not time. It stays open and says why. */
export const NO_LIMIT = Infinity;

export interface Step<C> {
  /** Unique within the flow; the key in the journal, so renaming a step makes it run again. */
  readonly name: string;
  /** How long one wait of this step may last without progress, in ms; then it is a failed attempt. Default: the policy's. {@link NO_LIMIT}: for ever. */
  readonly waitLimitMs?: number;
  /**
   * True where the operation must not stop before this step is done (say, the former RW is demoted and nobody is
   * promoted yet): a request to cancel waits for the next step without it.
   */
  readonly critical?: boolean;
  run(ctx: C, run: StepRun): Promise<StepResult>;
}

export interface Flow<C> {
  /** Operation type that this flow serves. */
  readonly name: string;
  readonly steps: readonly Step<C>[];
}

/** A flow of these steps. @throws Error when two of them have the same name: the journal could not tell them apart */
export function defineFlow<C>(name: string, steps: readonly Step<C>[]): Flow<C> {
  const names = steps.map(step => step.name);
  const twice = names.find((step, i) => names.indexOf(step) !== i);
  if (twice !== undefined) throw new Error(`flow ${name} has two steps named ${twice}`);
  return { name, steps };
}

export interface Done {
  readonly kind: 'done';
  /** Kept in the journal for the steps that follow, in the same write that marks the step done. No secrets. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface WaitOptions {
  /** Look again after this time, in ms, whatever happens. */
  readonly retryInMs?: number;
  /** What will end the wait, so that the controller looks again at once: a word that it agrees on with the step. */
  readonly wakeOn?: string;
  /** Changes when what is waited for gets on ("412 of 900 MB"); each change starts the wait limit anew. */
  readonly progress?: string;
}

export interface Wait extends WaitOptions {
  readonly kind: 'wait';
  /** One word in CamelCase, stable, for programs. */
  readonly reason: string;
  /** One sentence for people: what is awaited, of whom. Stable while nothing changes; each change is a write. */
  readonly message: string;
}

export type StepResult = Done | Wait;

/** The step's part is done. It will not run again in this operation. */
export function done(data?: Readonly<Record<string, string>>): Done {
  return data === undefined ? { kind: 'done' } : { kind: 'done', data };
}

/** The step is not done and nothing failed: give the worker back and run the step again later. */
export function wait(reason: string, message: string, options: WaitOptions = {}): Wait {
  return { kind: 'wait', reason, message, ...options };
}
