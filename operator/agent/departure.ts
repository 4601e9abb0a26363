import type { Beats } from './beats.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { RightKeeper } from './right-keeper.ts';
import type { StateStore } from './state-store.ts';
import type { Supervisor } from './supervisor.ts';
import type { Tasks } from './tasks.ts';

export interface DepartureParts {
  beats: Pick<Beats, 'changed' | 'end' | 'isLeaderHeard'>;
  tasks: Pick<Tasks, 'idle' | 'abort'>;
  store: Pick<StateStore, 'now'>;
  supervisor: Pick<Supervisor, 'state' | 'stop' | 'until'>;
  right: Pick<RightKeeper, 'isHeld' | 'state'>;
  clock: Clock;
  /** How long an RW waits for its successor, ms. */
  leaveMs: number;
  log: Log;
}

const POLL_MS = 50;

/** The end of the container, as the kubelet announces it. */
export class Departure {
  readonly #parts: DepartureParts;
  #hasBegun = false;

  constructor(parts: DepartureParts) {
    this.#parts = parts;
  }

  /** Said before anything else is done about it, so that others can take over while this engine still serves. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /**
   * An RW whose place another member may take goes on until a cluster manager has demoted it, if one is heard; nothing
   * else waits. What this member was told to be stays written. (Of a force-deleted pod the kubelet leaves two seconds.)
   */
  async leave(): Promise<void> {
    this.#hasBegun = true;
    const { beats, tasks, clock, leaveMs, log, store } = this.#parts;
    beats.changed();
    const until = clock.boottime() + leaveMs;
    if (this.#isAwaitingSuccessor()) {
      while (this.#isAwaitingSuccessor() && clock.boottime() < until) await this.#pause();
      // The proof of the demotion is told before the end takes it away.
      if (store.now.plan.role === 'stopped') await tasks.idle();
      await this.#pause();
    }
    log.info('agent ends', { role: store.now.plan.role });
    await this.#stop();
    beats.end();
  }

  #isAwaitingSuccessor(): boolean {
    const { beats, store, supervisor, right } = this.#parts;
    const isServing = store.now.plan.role === 'rw' && supervisor.state.phase === 'running';
    return isServing && beats.isLeaderHeard && right.isHeld && right.state.right?.kind !== 'alone';
  }

  async #stop(): Promise<void> {
    const { supervisor, tasks } = this.#parts;
    tasks.abort('the container ends');
    supervisor.stop('fast');
    await supervisor.until(state => state.phase === 'idle', new AbortController().signal);
  }

  #pause(): Promise<void> {
    return new Promise(resolve => void this.#parts.clock.after(POLL_MS, resolve));
  }
}
