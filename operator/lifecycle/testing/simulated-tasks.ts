import { AgentError } from '../../agent-api/errors.ts';
import type { Command } from '../../agent-api/schemas.ts';
import type { TaskState } from '../../agent-api/state.ts';

export type Asked = { command: Command; waitMs?: number };

/** Parts of a long call; one is done with each step of the world. `over` ends the task early. */
export type Work = readonly (() => Progress | Promise<Progress>)[];
type Progress = 'over' | undefined;

export const idle = (): undefined => undefined;

interface Task {
  state: TaskState;
  fingerprint: string;
  rest: Work;
}

/** The long calls of a simulated agent: one at a time, each done once however often it is asked for. */
export class SimulatedTasks {
  readonly #tasks = new Map<string, Task>();
  readonly #now: () => Date;
  #current: Task | undefined;

  constructor(now: () => Date) {
    this.#now = now;
  }

  get isBusy(): boolean {
    return this.latest?.state === 'running';
  }

  get latest(): TaskState | undefined {
    return this.#current?.state;
  }

  get(id: string): TaskState {
    const known = this.#tasks.get(id);
    if (!known) throw new AgentError('NotFound', `no task "${id}" since this agent started`);
    return known.state;
  }

  known(kind: string, body: Asked): TaskState | undefined {
    const task = this.#tasks.get(body.command.requestId);
    if (task && task.fingerprint !== fingerprint(kind, body)) {
      throw new AgentError('RequestIdReused', `request id "${body.command.requestId}" was used for something else`);
    }
    return task?.state;
  }

  begin(kind: string, body: Asked, work: Work): TaskState {
    const id = body.command.requestId;
    const startedAt = this.#now().toISOString();
    const state: TaskState = { id, kind, state: 'running', phase: kind, startedAt };
    this.#current = { state, fingerprint: fingerprint(kind, body), rest: work };
    this.#tasks.set(id, this.#current);
    return state;
  }

  interrupt(message: string): void {
    if (this.isBusy) this.#end(this.#current!, { code: 'Interrupted', message });
  }

  async step(): Promise<void> {
    const task = this.#current;
    if (task?.state.state !== 'running') return;
    const [next, ...rest] = task.rest;
    try {
      const isOver = (await next?.()) === 'over' || rest.length === 0;
      // Interrupted meanwhile.
      if (!this.isBusy || this.#current !== task) return;
      task.rest = rest;
      if (isOver) this.#end(task);
    } catch (error) {
      const { code, message } = error instanceof AgentError ? error : new AgentError('Internal', String(error));
      this.#end(task, { code, message });
    }
  }

  #end({ state }: Task, error?: NonNullable<TaskState['error']>): void {
    const endedAt = this.#now().toISOString();
    Object.assign(state, { state: error ? 'failed' : 'done', endedAt, ...(error && { error }) });
  }
}

const fingerprint = (kind: string, body: Asked): string => `${kind} ${JSON.stringify({ ...body, waitMs: undefined })}`;
