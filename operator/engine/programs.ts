import { spawn } from 'node:child_process';
import { basename, dirname } from 'node:path';

/** The OS user that engine programs run as when the agent is root, which every engine refuses to be. */
export interface OsUser {
  uid: number;
  gid: number;
}

export interface ProgramRun {
  /** Absolute path of the program. */
  program: string;
  args: readonly string[];
  cwd?: string;
  user?: OsUser;
  /** Added to the minimal environment (never secrets: they go by files). */
  env?: Readonly<Record<string, string>>;
  /** Written to standard input, which is then closed. */
  stdin?: string;
  /** Default 60 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Each complete line of standard error as it comes, for progress. */
  onStderr?: (line: string) => void;
}

export interface ProgramResult {
  stdout: string;
  stderr: string;
}

export type RunProgram = (run: ProgramRun) => Promise<ProgramResult>;

/** A program that could not be started, failed, was ended by a signal or by its time limit. */
export class ProgramError extends Error {
  readonly program: string;
  readonly exitCode: number | null;
  readonly killedBy: NodeJS.Signals | null;
  /** The end of standard error. */
  readonly stderr: string;

  constructor(program: string, how: string, details: Partial<Pick<ProgramError, 'exitCode' | 'killedBy' | 'stderr'>>) {
    const last = (details.stderr ?? '').trim().split('\n').slice(-3).join(' | ');
    super(`${basename(program)} ${how}${last === '' ? '' : `: ${last}`}`);
    this.name = 'ProgramError';
    this.program = program;
    this.exitCode = details.exitCode ?? null;
    this.killedBy = details.killedBy ?? null;
    this.stderr = details.stderr ?? '';
  }
}

const STDOUT_LIMIT = 4 * 1024 * 1024;
const STDERR_TAIL = 16 * 1024;
const KILL_AFTER_MS = 2000;

/**
 * Environment of engine programs: only what they need, so that nothing of the agent's (service account paths, PG*
 * variables of an image) changes what they do. C.UTF-8 keeps their messages in the language that we parse.
 */
export function programEnv(program: string): Record<string, string> {
  return {
    PATH: `${dirname(program)}:/usr/local/bin:/usr/bin:/bin`,
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    HOME: '/nonexistent',
  };
}

/**
 * Runs a program in a process group of its own and waits until it and its pipes are closed. Abort and time limit
 * end the whole group (pg_basebackup and initdb have children), with SIGKILL when SIGTERM is not enough.
 * @throws ProgramError; on abort the signal's reason
 */
export const runProgram: RunProgram = run =>
  new Promise((resolve, reject) => {
    run.signal?.throwIfAborted();
    const child = spawn(run.program, run.args, {
      cwd: run.cwd ?? '/',
      env: { ...programEnv(run.program), ...run.env },
      uid: run.user?.uid,
      gid: run.user?.gid,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const stdout = new Head(STDOUT_LIMIT);
    const stderr = new Tail(STDERR_TAIL, run.onStderr);
    child.stdout.setEncoding('utf8').on('data', (text: string) => stdout.add(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.add(text));
    // A program that ends without reading its input is judged by its exit code, not by the broken pipe.
    child.stdin.on('error', () => undefined).end(run.stdin ?? '');

    const ladder = killLadder(child.pid);
    const timeout = run.timeoutMs ?? 60_000;
    const timer = setTimeout(ladder.begin, timeout);
    run.signal?.addEventListener('abort', ladder.begin, { once: true });
    const settle = (act: () => void) => {
      clearTimeout(timer);
      ladder.end();
      run.signal?.removeEventListener('abort', ladder.begin);
      act();
    };

    child.once('error', error => {
      settle(() => reject(new ProgramError(run.program, `could not be started (${error.message})`, {})));
    });
    child.once('close', (exitCode, killedBy) => {
      stderr.end();
      settle(() => {
        if (run.signal?.aborted) reject(run.signal.reason as Error);
        else if (exitCode === 0) resolve({ stdout: stdout.text, stderr: stderr.text });
        else {
          const ending = ladder.began ? `did not end within ${timeout} ms` : describeEnd(exitCode, killedBy);
          reject(new ProgramError(run.program, ending, { exitCode, killedBy, stderr: stderr.text }));
        }
      });
    });
  });

function describeEnd(exitCode: number | null, killedBy: NodeJS.Signals | null): string {
  return killedBy ? `was ended by ${killedBy}` : `failed with exit code ${exitCode ?? 'unknown'}`;
}

function killLadder(pid: number | undefined) {
  let timer: NodeJS.Timeout | undefined;
  const kill = (signal: NodeJS.Signals) => {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // The group is gone already; `close` reports how.
    }
  };
  const ladder = {
    began: false,
    begin: () => {
      if (ladder.began) return;
      ladder.began = true;
      kill('SIGTERM');
      timer = setTimeout(() => kill('SIGKILL'), KILL_AFTER_MS);
    },
    end: () => clearTimeout(timer),
  };
  return ladder;
}

/** The first part of a stream; the rest is dropped. */
class Head {
  text = '';
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(text: string): void {
    if (this.text.length < this.#limit) this.text = (this.text + text).slice(0, this.#limit);
  }
}

/** The last part of a stream, with its lines (ended by \n or \r, as progress meters do) handed out as they come. */
class Tail {
  text = '';
  #line = '';
  readonly #limit: number;
  readonly #onLine: ((line: string) => void) | undefined;

  constructor(limit: number, onLine?: (line: string) => void) {
    this.#limit = limit;
    this.#onLine = onLine;
  }

  add(text: string): void {
    this.text = (this.text + text).slice(-this.#limit);
    const lines = (this.#line + text).split(/[\r\n]/);
    this.#line = (lines.pop() ?? '').slice(-this.#limit);
    for (const line of lines) if (line !== '') this.#onLine?.(line);
  }

  end(): void {
    if (this.#line !== '') this.#onLine?.(this.#line);
    this.#line = '';
  }
}
