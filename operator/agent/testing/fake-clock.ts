import type { Clock } from '../clock.ts';

/** A clock that moves only when told to; timers run in their order. */
export class FakeClock implements Clock {
  ms = 0;
  #timers: { at: number; act: () => void }[] = [];

  now = (): Date => new Date(this.ms);
  boottime = (): number => this.ms;
  after = (ms: number, act: () => void): (() => void) => {
    const timer = { at: this.ms + ms, act };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter(it => it !== timer));
  };

  /** Moves on by `ms`; whatever became due has run, and what it promised at once too. */
  async advance(ms: number): Promise<void> {
    const end = this.ms + ms;
    for (;;) {
      const next = this.#timers.filter(it => it.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter(it => it !== next);
      this.ms = Math.max(this.ms, next.at);
      next.act();
      await settle();
    }
    this.ms = end;
    await settle();
  }
}

/** Lets promises that can go on do so. */
export const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
