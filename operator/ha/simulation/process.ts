import type { Cancel, VirtualTime } from './time.ts';

/** CLOCK_BOOTTIME of one host: its own zero, and a rate that may be off. */
export class HostClock {
  readonly #time: VirtualTime;
  readonly #zero: number;
  readonly rate: number;

  constructor(time: VirtualTime, zero: number, rate: number) {
    this.#time = time;
    this.#zero = zero;
    this.rate = rate;
  }

  /** Milliseconds as a process of that host reads them. */
  get now(): number {
    return this.#zero + this.#time.now * this.rate;
  }
}

/**
 * One process: it runs on its host's clock, may be stopped and continued (SIGSTOP, a frozen host) and dies once. What
 * reaches it while it is stopped waits; what reaches it after its death is lost.
 */
export class Process {
  readonly clock: HostClock;
  readonly #time: VirtualTime;
  #alive = true;
  /** Why it stands still: each reason has to go before it runs on. */
  readonly #stops = new Set<string>();
  #held: (() => void)[] = [];

  constructor(time: VirtualTime, clock: HostClock) {
    this.#time = time;
    this.clock = clock;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  get isRunning(): boolean {
    return this.#alive && this.#stops.size === 0;
  }

  /** Something reaches the process: now, when it is continued, or never. */
  run(work: () => void): void {
    if (!this.#alive) return;
    if (this.#stops.size > 0) this.#held.push(work);
    else work();
  }

  /** @param ms of the host's clock */
  after(ms: number, work: () => void): Cancel {
    return this.#time.after(ms / this.clock.rate, () => this.run(work));
  }

  /** Again and again until it dies; `first` ms from now for the first time. */
  every(ms: number, first: number, work: () => void): void {
    const again = (): void => {
      this.after(ms, again);
      work();
    };
    this.after(first, again);
  }

  stop(reason: string): void {
    this.#stops.add(reason);
  }

  /** What waited happens in its order, before anything else that this process does. */
  continue(reason: string): void {
    this.#stops.delete(reason);
    if (this.#stops.size > 0) return;
    const held = this.#held;
    this.#held = [];
    for (const work of held) this.run(work);
  }

  die(): void {
    this.#alive = false;
    this.#held = [];
  }
}
