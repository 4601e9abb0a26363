import { AgentError } from '../agent-api/errors.ts';
import type { TaskState } from '../agent-api/state.ts';
import type { Report } from '../engine/profile.ts';
import { within, type Clock } from './clock.ts';
import { asAgentError } from './failures.ts';
import type { Log } from './log.ts';

export interface TaskRequest {
  /** The caller's request id. */
  id: string;
  kind: string;
  /** What was asked, in a form that can be compared: the same id with another text is a mistake of the caller. */
  fingerprint: string;
}

export interface TaskContext {
  report: Report;
  /** Aborted with an AgentError when something stronger comes in between. */
  signal: AbortSignal;
}

interface Task {
  state: TaskState;
  fingerprint: string;
  ended: Promise<void>;
  controller: AbortController;
}

/** Outcomes that are remembered, newest last. */
const KEPT = 100;

/** Long calls, one at a time, each done once however often it is asked for. */
export class Tasks {
  readonly #tasks = new Map<string, Task>();
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onChange: () => void;
  #current: Task | undefined;

  /** @param onChange told of each beginning, phase and end */
  constructor(clock: Clock, log: Log, onChange: () => void = () => undefined) {
    this.#clock = clock;
    this.#log = log;
    this.#onChange = onChange;
  }

  get isBusy(): boolean {
    return this.#current?.state.state === 'running';
  }

  /** The one that runs, else the one that ended last. */
  get latest(): TaskState | undefined {
    return this.#current?.state;
  }

  /** @throws AgentError `NotFound` */
  get(id: string): TaskState {
    const task = this.#tasks.get(id);
    if (!task) throw new AgentError('NotFound', `no task "${id}" since this agent started`);
    return task.state;
  }

  /** The task of an id that was asked for before. @throws AgentError `RequestIdReused` when it was asked something else */
  known({ id, fingerprint }: TaskRequest): TaskState | undefined {
    const task = this.#tasks.get(id);
    if (task && task.fingerprint !== fingerprint) {
      throw new AgentError('RequestIdReused', `request id "${id}" was used for something else`, {
        field: 'command.requestId',
      });
    }
    return task?.state;
  }

  /** @throws AgentError `Busy` while another one runs */
  begin(request: TaskRequest, work: (context: TaskContext) => Promise<void>): TaskState {
    if (this.isBusy) throw new AgentError('Busy', `task "${this.#current?.state.kind ?? ''}" runs`);
    const controller = new AbortController();
    const { id, kind, fingerprint } = request;
    const state: TaskState = { id, kind, state: 'running', phase: kind, startedAt: this.#time() };
    const task: Task = { state, fingerprint, controller, ended: Promise.resolve() };
    this.#tasks.set(id, task);
    this.#current = task;
    this.#forgetOldest();
    this.#log.info('task begins', { task: kind, requestId: id });
    this.#onChange();
    task.ended = this.#run(task, work);
    return state;
  }

  /** Tells the running task, if any, to let go; at once, so that it does nothing more that it asks its signal about. */
  abort(reason: string): void {
    if (this.isBusy) this.#current?.controller.abort(new AgentError('Interrupted', reason));
  }

  /** Resolves when no task runs. */
  async idle(): Promise<void> {
    while (this.isBusy) await this.#current?.ended;
  }

  /** The state of a task once it has ended, or after `ms`. */
  async settle(id: string, ms: number): Promise<TaskState> {
    const state = this.get(id);
    if (ms === 0 || state.state !== 'running') return state;
    await within(this.#clock, ms, this.#tasks.get(id)?.ended);
    return state;
  }

  async #run(task: Task, work: (context: TaskContext) => Promise<void>): Promise<void> {
    const { state, controller } = task;
    const report: Report = ({ phase, done, total }) => {
      const isNew = state.phase !== phase;
      Object.assign(state, { phase, done, total });
      if (isNew) this.#onChange();
    };
    try {
      await work({ report, signal: controller.signal });
      this.#end(state, 'done');
    } catch (error) {
      // What a killed helper says is not the reason; the interruption is.
      const cause: unknown = controller.signal.aborted ? controller.signal.reason : error;
      const { code, message, field } = asAgentError(cause);
      state.error = { code, message, field };
      this.#end(state, 'failed');
    }
  }

  #end(state: TaskState, outcome: 'done' | 'failed'): void {
    state.state = outcome;
    state.endedAt = this.#time();
    this.#log.info('task ends', { task: state.kind, requestId: state.id, outcome, error: state.error });
    this.#onChange();
  }

  #forgetOldest(): void {
    const oldest = this.#tasks.keys().next();
    if (this.#tasks.size > KEPT && !oldest.done) this.#tasks.delete(oldest.value);
  }

  #time(): string {
    return this.#clock.now().toISOString();
  }
}
