import type { Clock } from '../../kube/clock.ts';

/** Runs a group's look as its controller does: one at a time, again when it was woken meanwhile, and after its pause. */
export class Looks {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #look: () => Promise<number | undefined>;
  #isRunning = false;
  #isDue = false;
  #cancel: () => void = () => undefined;

  /** @param look answers after how many ms it wants the next one */
  constructor(clock: Pick<Clock, 'after'>, look: () => Promise<number | undefined>) {
    this.#clock = clock;
    this.#look = look;
  }

  wake(): void {
    this.#isDue = true;
    void this.#run();
  }

  /** Nothing is pending any more. */
  cancel(): void {
    this.#cancel();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isDue) {
      this.#isDue = false;
      this.#cancel();
      const pause = await this.#look();
      if (pause !== undefined) this.#cancel = this.#clock.after(pause, () => this.wake());
    }
    this.#isRunning = false;
  }
}
