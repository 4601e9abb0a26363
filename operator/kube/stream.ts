import type { Clock } from './clock.ts';
import { KubeError } from './errors.ts';

const NEWLINE = 0x0a;

/**
 * The JSON values of a stream, one a line. Splits bytes, not text, so that a character on the border of two chunks
 * stays whole. An unfinished last line is a cut connection and is left out.
 * @throws KubeError `Malformed` for a line that is no JSON
 */
export async function* jsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([...rest, chunk.subarray(from, at)]).toString('utf8');
      rest = [];
      from = at + 1;
      if (line.trim() !== '') yield parseLine(line);
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new KubeError({ status: 0, reason: 'Malformed', message: 'a watch sent a line that is no JSON', cause });
  }
}

/** Calls `onSilence` once nothing was `seen` for `limitMs`. One timer, however often something is seen. */
export class SilenceGuard {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #onSilence: () => void;
  #last: number;
  #cancel: () => void;

  constructor(clock: Clock, limitMs: number, onSilence: () => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#onSilence = onSilence;
    this.#last = clock.now();
    this.#cancel = clock.after(limitMs, () => this.#check());
  }

  seen(): void {
    this.#last = this.#clock.now();
  }

  stop(): void {
    this.#cancel();
  }

  #check(): void {
    const left = this.#last + this.#limitMs - this.#clock.now();
    if (left > 0) this.#cancel = this.#clock.after(left, () => this.#check());
    else this.#onSilence();
  }
}
