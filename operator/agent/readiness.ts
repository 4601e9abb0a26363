import { BEAT_MS } from '../agent-api/beat.ts';
import type { EngineProfile } from '../engine/profile.ts';
import { within, type Clock } from './clock.ts';
import { objectionToReady } from './health.ts';
import type { Observer } from './observer.ts';
import type { StateStore } from './state-store.ts';
import type { Supervisor } from './supervisor.ts';

export interface ReadinessOptions {
  profile: Pick<EngineProfile, 'serves'>;
  store: Pick<StateStore, 'now'>;
  supervisor: Pick<Supervisor, 'state'>;
  observer: Pick<Observer, 'look' | 'looked' | 'hasLooked' | 'seen'>;
  clock: Clock;
}

/** A first no is said this late at most, ms: before the kubelet gives the probe up (lifecycle, probes of a pod). */
const HOLD_MS = 4_000;

/**
 * Answers the kubelet, which asks every second for as long as the pod lives: by the standing session, and by what reports
 * have just seen, since each look costs the engine a statement. Until it is ready for the first time an answer is held
 * back for as long as it would be no: ready is told at once, and not each second of a start becomes a probe that failed,
 * an Event and a write to etcd.
 */
export class Readiness {
  readonly #options: ReadinessOptions;
  #wasReady = false;
  /** Process of the follower that was last seen streaming. */
  #streamed: number | undefined;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** @returns why it is not ready, or undefined */
  async ask(): Promise<string | undefined> {
    const { observer, clock } = this.#options;
    if (!observer.hasLooked(BEAT_MS)) await observer.look();
    const until = clock.boottime() + HOLD_MS;
    for (;;) {
      const objection = this.#objection();
      this.#wasReady ||= objection === undefined;
      const left = until - clock.boottime();
      if (this.#wasReady || left <= 0) return objection;
      // Whoever asked for it.
      await within(clock, left, observer.looked());
    }
  }

  #objection(): string | undefined {
    const { profile, store, supervisor, observer } = this.#options;
    const { plan } = store.now;
    const isServing = plan.role === 'stopped' || profile.serves(plan.role);
    const { look } = observer.seen;
    const { phase, pid } = supervisor.state;
    // A follower that has streamed stays ready: later silence of the RW does not make its reads wrong.
    if (look?.streaming === true) this.#streamed = pid;
    const hasStreamed = this.#streamed !== undefined && this.#streamed === pid;
    return objectionToReady({ plan, phase, isServing, look, hasStreamed });
  }
}
