/** Lets so many do something at the same time; the others wait in the order in which they came. */
export class Slots {
  #free: number;
  readonly #most: number;
  #waiting: (() => void)[] = [];

  /** @param most how many may wait besides */
  constructor(free: number, most: number) {
    this.#free = free;
    this.#most = most;
  }

  /** @returns gives the place back; undefined when too many wait, or the signal aborts first */
  async take(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined;
    if (this.#free > 0) this.#free--;
    else if (this.#waiting.length >= this.#most || !(await this.#turn(signal))) return undefined;
    let isTaken = true;
    return () => {
      if (isTaken) this.#give();
      isTaken = false;
    };
  }

  #give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }

  #turn(signal: AbortSignal): Promise<boolean> {
    return new Promise(resolve => {
      const go = (): void => {
        signal.removeEventListener('abort', leave);
        resolve(true);
      };
      const leave = (): void => {
        this.#waiting = this.#waiting.filter(it => it !== go);
        resolve(false);
      };
      this.#waiting.push(go);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
