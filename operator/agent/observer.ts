import type { Report } from '../agent-api/beat.ts';
import type { EngineLook, EngineProfile, EngineWatch } from '../engine/profile.ts';
import type { Clock } from './clock.ts';
import type { Divergence } from './divergence.ts';
import { messageOf, type Log } from './log.ts';
import { recoveryOf } from './recovery.ts';
import type { StateStore } from './state-store.ts';
import type { Supervisor } from './supervisor.ts';
import type { Volume } from './volume.ts';

export interface ObserverOptions {
  profile: EngineProfile;
  volume: Volume;
  store: StateStore;
  supervisor: Supervisor;
  divergence: Divergence;
  /** Processes of a starting engine. */
  startingPids: () => readonly number[];
  /** Limit of one look at the engine, ms. */
  limitMs: number;
  clock: Pick<Clock, 'boottime'>;
  log: Log;
}

/** Looks in a row, half a second apart. */
const STEADY_LOOKS = 3;

/** What reports and readiness tell besides what the agent itself knows. */
export interface Seen {
  volume: Report['volume'];
  look: EngineLook | undefined;
  recovery: string | undefined;
}

/** Looks at engine and volume for reports and readiness. What it saw of an engine is forgotten with that engine's process. */
export class Observer {
  readonly #options: ObserverOptions;
  readonly #watch: EngineWatch;
  #volume: Report['volume'] = { state: 'blank' };
  #engine: { pid: number | undefined; look: EngineLook } | undefined;
  #recovery: string | undefined;
  /** Process of the engine that the standing session belongs to. */
  #watched: number | undefined;
  /** In a row. */
  #streamingLooks = 0;
  #last: Promise<void> = Promise.resolve();
  /** Asked for and not begun. */
  #next: Promise<void> | undefined;
  /** End of the newest look, ms of CLOCK_BOOTTIME. */
  #lookedAt = -Infinity;
  #waiting: (() => void)[] = [];

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#watch = options.profile.watch(options.limitMs);
  }

  get seen(): Seen {
    const { phase, pid } = this.#options.supervisor.state;
    const isOfNow = phase === 'running' && this.#engine?.pid === pid;
    return {
      volume: this.#volume,
      look: isOfNow ? this.#engine?.look : undefined,
      recovery: phase === 'starting' ? this.#recovery : undefined,
    };
  }

  /** One look after the other: each shows what is true after it was asked for. Never rejects. */
  look(): Promise<void> {
    this.#next ??= this.#last
      .then(() => {
        this.#next = undefined;
        return this.#look();
      })
      .catch((error: unknown) => this.#options.log.warn('cannot look', { reason: messageOf(error) }))
      .finally(() => {
        this.#lookedAt = this.#options.clock.boottime();
        for (const resolve of this.#waiting.splice(0)) resolve();
      });
    this.#last = this.#next;
    return this.#last;
  }

  /** Resolves when the next look ends, whoever asks for it. */
  looked(): Promise<void> {
    return new Promise(resolve => void this.#waiting.push(resolve));
  }

  /** Has a look ended within the last so many ms? */
  hasLooked(ms: number): boolean {
    return this.#options.clock.boottime() - this.#lookedAt <= ms;
  }

  close(): void {
    this.#watch.close();
  }

  async #look(): Promise<void> {
    const { volume, supervisor, startingPids } = this.#options;
    this.#volume = await volume.state();
    const { phase, pid } = supervisor.state;
    if (phase === 'starting') this.#recovery = await recoveryOf(startingPids());
    if (phase !== 'running') return;
    // The session of a former engine would cost this look.
    if (this.#watched !== pid) this.#watch.close();
    this.#watched = pid;
    try {
      const look = await this.#watch.look();
      this.#engine = { pid, look };
      await this.#onLook(look);
    } catch {
      // An engine that does not answer in time is told of without positions; why, its own log tells.
      this.#engine = undefined;
    }
  }

  /** Streaming proves that the histories fit; a receiver that is sent away again streams for a moment only. */
  async #onLook({ streaming }: EngineLook): Promise<void> {
    const { divergence, store } = this.#options;
    this.#streamingLooks = streaming === true ? this.#streamingLooks + 1 : 0;
    if (this.#streamingLooks < STEADY_LOOKS) return;
    divergence.clear();
    if (store.now.rewound === true) await store.change({ rewound: undefined });
  }
}
