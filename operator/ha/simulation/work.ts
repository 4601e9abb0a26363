import type { HeardReport } from '../evidence.ts';
import type { AgentBody } from './agent-body.ts';
import type { Persisted } from './agent-state.ts';

export interface Outcome {
  state: 'done' | 'failed';
  code?: string;
}
export type Reply = (outcome: Outcome) => void;

export const failed = (code: string): Outcome => ({ state: 'failed', code });

/** Longest time that fsync takes, ms. */
const SYNC_MS = 5;

/** The one long work of an agent at a time, and what it makes durable. */
export class Work {
  task?: HeardReport['task'];
  readonly #agent: AgentBody;
  #current = 0;
  #savedAt = 0;

  constructor(agent: AgentBody) {
    this.#agent = agent;
  }

  get isBusy(): boolean {
    return this.task?.state === 'running';
  }

  /** @returns its number: with another one under way what an older one has left to do is not done */
  begin(kind: string): number {
    this.task = { kind, state: 'running', phase: kind };
    return ++this.#current;
  }

  isCurrent(work: number): boolean {
    return work === this.#current;
  }

  end(work: number, then: () => void): void {
    if (work !== this.#current) return;
    if (this.task) this.task = { ...this.task, state: 'done' };
    then();
  }

  abort(): void {
    this.#current++;
    if (this.isBusy && this.task) this.task = { ...this.task, state: 'failed' };
  }

  /** What is believed is never ahead of what a crash would leave: the change comes first, and takes its time, in order. */
  save(change: Partial<Persisted>, then: () => void = () => undefined): void {
    const { volume, process, world } = this.#agent;
    volume.persisted = { ...volume.persisted, ...change };
    const { now } = process.clock;
    this.#savedAt = Math.max(this.#savedAt, now + world.random.between(0.2, SYNC_MS));
    process.after(this.#savedAt - now, then);
  }
}
