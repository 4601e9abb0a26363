import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { acknowledged, type Acknowledged, type LoadEvent } from './report.ts';
import type { LoadTarget } from './writer.ts';

/** A writer that runs beside its caller (see main.ts). */
export class Load {
  /** All that it has told so far. */
  readonly events: LoadEvent[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  /** @param prefix of the command: what puts it elsewhere, such as nsenter(1) with its arguments */
  constructor(target: LoadTarget, prefix: readonly string[] = []) {
    const command = [...prefix, process.execPath, join(import.meta.dirname, 'main.ts')];
    this.#child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = once(this.#child, 'close');
    // Its end is seen where it is stopped.
    this.#ended.catch(() => undefined);
    this.#child.stdin!.on('error', () => undefined);
    this.#child.stdin!.write(`${JSON.stringify(target)}\n`);
    createInterface({ input: this.#child.stdout! }).on('line', line => this.events.push(JSON.parse(line) as LoadEvent));
  }

  /** The first row that was sent after a moment and acknowledged, if there is one yet. */
  acknowledgedAfter(ms: number): Acknowledged | undefined {
    return acknowledged(this.events).find(({ sentAt }) => sentAt >= ms);
  }

  /** Ends the writer. Resolves when its last word is known; again at once. */
  async stop(): Promise<readonly LoadEvent[]> {
    this.#child.stdin!.end();
    await this.#ended;
    return this.events;
  }
}
