import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Log } from './log.ts';
import { GUARD_SCRIPT } from './guard-script.ts';

/** What the guard is told: nothing to watch, a right without end, or the uptime in ms at which the right ends. */
export type GuardOrder = 'none' | 'unbounded' | number;

export interface GuardOptions {
  /** Static busybox. */
  busybox: string;
  log: Log;
  /** Called when no guard can be kept running: an agent without a guard must not keep an engine. */
  onLost: (reason: string) => void;
}

/** A guard that has come up and answers nothing for so long watches nothing either (it was stopped, say), ms. */
const ANSWER_MS = 2_000;
/** A guard that dies this often in a row without having come up cannot be had. */
const MAX_FAILED_STARTS = 3;

/** Keeps one guard process (guard-script.ts) running and tells it the end of the right. */
export class Guard {
  readonly #options: GuardOptions;
  #order: GuardOrder = 'none';
  #child: ChildProcess | undefined;
  #failedStarts = 0;
  /** Lines to the guard at present that it has not answered. */
  #unheard = 0;
  #waiting: (() => void)[] = [];
  #closed = false;
  #isUp = false;
  #patience: NodeJS.Timeout | undefined;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** PID of the guard at present. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the guard. @returns when it watches; rejects when the first one cannot be started */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = this.#spawn(reject);
      child.stdout?.once('data', () => resolve());
    });
  }

  /** Said at once and said again to each later guard. */
  tell(order: GuardOrder): void {
    this.#order = order;
    this.#unheard++;
    this.#child?.stdin?.write(line(order));
    this.#expectAnswer();
  }

  /** Resolves when the guard goes by what it was told last. */
  heard(): Promise<void> {
    if (this.#unheard === 0) return Promise.resolve();
    return new Promise(resolve => void this.#waiting.push(resolve));
  }

  /** For an orderly end of the agent, after the engine has ended. */
  close(): void {
    this.#closed = true;
    this.#stopExpecting();
    this.#child?.kill('SIGKILL');
  }

  #spawn(onFailure: (error: Error) => void = () => undefined): ChildProcess {
    const args = ['sh', '-c', GUARD_SCRIPT, 'guard', String(process.pid)];
    const child = spawn(this.#options.busybox, args, { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
    this.#child = child;
    let over = false;
    const end = (reason: string): void => {
      if (over) return;
      over = true;
      onFailure(new Error(reason));
      this.#onEnd(reason);
    };
    // A guard that is gone cannot be written to; its exit is what counts.
    child.stdin.on('error', () => undefined);
    this.#unheard = 1;
    this.#isUp = false;
    createInterface({ input: child.stdout }).on('line', answer => this.#onAnswer(child, answer));
    child.once('error', error => end(`the guard cannot be started: ${error.message}`));
    child.once('exit', (code, signal) => end(`the guard ended (${signal ?? code ?? 'unknown'})`));
    child.stdin.write(line(this.#order));
    return child;
  }

  #onAnswer(child: ChildProcess, answer: string): void {
    if (child !== this.#child) return;
    if (answer === 'ready') {
      this.#failedStarts = 0;
      this.#isUp = true;
    }
    if (answer !== 'heard') return;
    this.#stopExpecting();
    if (--this.#unheard > 0) {
      this.#expectAnswer();
      return;
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #expectAnswer(): void {
    if (this.#isUp) this.#patience ??= setTimeout(() => this.#replace(), ANSWER_MS);
  }

  #stopExpecting(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  #replace(): void {
    this.#options.log.warn('the guard does not answer', { limitMs: ANSWER_MS });
    this.#stopExpecting();
    this.#child?.kill('SIGKILL');
  }

  #onEnd(reason: string): void {
    this.#stopExpecting();
    if (this.#closed) return;
    this.#options.log.warn('guard lost, another one is started', { reason });
    if (++this.#failedStarts > MAX_FAILED_STARTS) this.#options.onLost(reason);
    else this.#spawn();
  }
}

/** Rounded down: never later than the right. */
const line = (order: GuardOrder): string => `${typeof order === 'number' ? Math.floor(order / 10) : order}\n`;
