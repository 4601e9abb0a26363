import type { Process } from './process.ts';
import type { Cancel } from './time.ts';

/** The tiny process that ends the engine when a right passes that nobody renewed. */
export class Guard {
  readonly process: Process;
  readonly #kill: () => void;
  readonly #delay: () => number;
  #disarm: Cancel = () => undefined;

  constructor(process: Process, kill: () => void, delay: () => number) {
    this.process = process;
    this.#kill = kill;
    this.#delay = delay;
  }

  /** By the pipe: a stopped guard hears of it when it is continued. `undefined`: nothing to watch. */
  tell(until: number | undefined): void {
    this.process.run(() => {
      this.#disarm();
      if (until === undefined || until === Infinity) return;
      const { clock } = this.process;
      this.#disarm = this.process.after(until - clock.now + this.#delay(), this.#kill);
    });
  }
}
