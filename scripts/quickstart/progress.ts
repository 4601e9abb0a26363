import type { Report, Step } from '../kubernetes/progress.ts';

/** Where progress is shown; a terminal can be written over. */
export interface Screen {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

interface Running {
  name: string;
  began: number;
  /** What it waits for. */
  reason?: string;
}

/** On a terminal running steps are drawn anew this often; elsewhere they are told this often, ms. */
const REDRAW_MS = 200;
const REMIND_MS = 15_000;

/**
 * Shows steps while they run: a line for each finished one with its time, below it the running ones with the time so
 * far and the reason of a wait. A log gets the same as plain lines.
 */
export class Progress {
  readonly #screen: Screen;
  readonly #now: () => number;
  readonly #running = new Map<string, Running>();
  readonly #timer: NodeJS.Timeout;
  #drawn = 0;

  /** @param now milliseconds of a clock that only grows */
  constructor(screen: Screen, now: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#now = now;
    this.#timer = setInterval(() => this.#tick(), screen.isTTY ? REDRAW_MS : REMIND_MS);
    this.#timer.unref();
  }

  /** For work that tells its steps by itself. */
  readonly report: Report = step => {
    if (step.state === 'running') this.#running.set(step.name, { name: step.name, began: this.#now() });
    else {
      this.#running.delete(step.name);
      this.#print(finishedLine(step));
    }
    this.#draw();
  };

  /** Runs `work` as a step; what it tells is shown as the reason of its wait. */
  async step<T>(name: string, work: (tell: (reason: string) => void) => Promise<T>): Promise<T> {
    const began = this.#now();
    this.report({ name, state: 'running', seconds: 0 });
    const end = (state: Step['state']): void => this.report({ name, state, seconds: (this.#now() - began) / 1000 });
    try {
      const result = await work(reason => this.#tell(name, reason));
      end('done');
      return result;
    } catch (error) {
      end('failed');
      throw error;
    }
  }

  /** A line of its own, between the steps. */
  note(text: string): void {
    this.#print(`${' '.repeat(11)}${text}`);
    this.#draw();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#erase();
  }

  #tell(name: string, reason: string): void {
    const step = this.#running.get(name);
    if (!step || step.reason === reason) return;
    step.reason = reason;
    if (this.#screen.isTTY) this.#draw();
    else this.#screen.write(`${runningLine(step, this.#now())}\n`);
  }

  #tick(): void {
    if (this.#screen.isTTY) this.#draw();
    else for (const step of this.#running.values()) this.#screen.write(`${runningLine(step, this.#now())}\n`);
  }

  #print(line: string): void {
    this.#erase();
    this.#screen.write(`${line}\n`);
  }

  #draw(): void {
    if (!this.#screen.isTTY) return;
    this.#erase();
    const width = (this.#screen.columns ?? 80) - 1;
    for (const step of this.#running.values())
      this.#screen.write(`${runningLine(step, this.#now()).slice(0, width)}\n`);
    this.#drawn = this.#running.size;
  }

  /** Takes back the lines of running steps. */
  #erase(): void {
    if (this.#drawn > 0) this.#screen.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }
}

const time = (seconds: number): string => `${seconds.toFixed(1).padStart(6)} s`;

function finishedLine({ name, state, seconds }: Step): string {
  return `${state === 'failed' ? '✗' : '✓'}${time(seconds)}  ${name}`;
}

function runningLine({ name, began, reason }: Running, now: number): string {
  return `…${time((now - began) / 1000)}  ${name}${reason ? `: ${reason}` : ''}`;
}
