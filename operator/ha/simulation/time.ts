/**
 * Virtual time: a queue of what happens when, in milliseconds of a true time that no process of the world can read.
 * Things of the same instant happen in the order in which they were asked for, so that a schedule replays exactly.
 */
export class VirtualTime {
  #now = 0;
  #serial = 0;
  readonly #queue: Entry[] = [];

  get now(): number {
    return this.#now;
  }

  /** @returns how to call it off */
  after(ms: number, run: () => void): Cancel {
    const entry: Entry = { at: this.#now + Math.max(0, ms), serial: ++this.#serial, run };
    this.#push(entry);
    return () => (entry.run = undefined);
  }

  /** Lets everything happen up to and including that instant. */
  runUntil(end: number): void {
    for (let next = this.#queue[0]; next && next.at <= end; next = this.#queue[0]) {
      this.#pop();
      this.#now = next.at;
      next.run?.();
    }
    this.#now = end;
  }

  #push(entry: Entry): void {
    const queue = this.#queue;
    let at = queue.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(queue[parent]!, entry)) break;
      queue[at] = queue[parent]!;
      at = parent;
    }
    queue[at] = entry;
  }

  #pop(): void {
    const queue = this.#queue;
    const last = queue.pop()!;
    if (queue.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= queue.length) break;
      if (child + 1 < queue.length && isBefore(queue[child + 1]!, queue[child]!)) child++;
      if (isBefore(last, queue[child]!)) break;
      queue[at] = queue[child]!;
      at = child;
    }
    queue[at] = last;
  }
}

export type Cancel = () => void;

interface Entry {
  at: number;
  serial: number;
  run: (() => void) | undefined;
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.serial < b.serial);

/** Hears the story of a world, a line an event. What to tell comes as a function: most worlds tell nobody. */
export type Tell = (what: () => string) => void;
