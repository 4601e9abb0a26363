import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

interface RunOptions {
  /** What the standard input gives. @default nothing */
  input?: string | Buffer;
  /** An open file as the standard input. */
  inputFile?: number;
  cwd?: string;
  env?: Record<string, string>;
}

/** Runs a program to its end and returns its standard output; fails with what it wrote to standard error. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input = '', inputFile, cwd, env } = options;
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: [inputFile ?? 'pipe', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  // A program that ends without reading gives EPIPE here; its exit code tells the story.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const code = await ended(command, child);
  if (code === 0) return Buffer.concat(out).toString();
  const said = Buffer.concat(err.length > 0 ? err : out);
  throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${said.toString().trim().slice(-2000)}`);
}

/** Exit code, 128 for the end by a signal. */
async function ended(command: string, child: ChildProcess): Promise<number> {
  return await new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? new Error(`the command ${command} is missing on this machine`) : error);
    });
    child.on('close', code => resolve(code ?? 128));
  });
}

/** Polls until `look` gives a value; after `seconds` fails with the last reason. */
export async function until<T>(what: string, seconds: number, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let reason = 'not yet';
  while (performance.now() < deadline) {
    try {
      const value = await look();
      if (value !== undefined) return value;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    await sleep(50);
  }
  throw new Error(`${what}: gave up after ${seconds} s (${reason})`);
}
