import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program of this folder's tests that runs under tini in a PID namespace of its own, as an agent does in its pod. */
export interface Inside {
  /** Next line of standard output that satisfies `wanted`; lines before it are dropped. */
  line(wanted: RegExp): Promise<string>;
  send(text: string): void;
  /** PID of the namespace's init, seen from outside. */
  readonly outerPid: number;
  /** Resolves when the namespace is gone. */
  readonly ended: Promise<number | undefined>;
  kill(): void;
}

const LINE_LIMIT_MS = 8_000;

/** Runs `node file args` in a fresh PID namespace with its own /proc; needs root, as all tests with processes do. */
export function runInside(file: string, args: readonly string[] = [], tini = '/usr/bin/tini'): Inside {
  const command = [tini, '-s', '--', process.execPath, ...process.execArgv, file, ...args];
  const child = spawn('unshare', ['--pid', '--fork', '--mount-proc', '--kill-child', ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting: { wanted: RegExp; give: (line: string) => void }[] = [];
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', text => {
    lines.push(text);
    serve();
  });
  const serve = (): void => {
    for (let first = waiting[0]; first; first = waiting[0]) {
      const at = lines.findIndex(text => first.wanted.test(text));
      if (at < 0) return;
      first.give(lines.splice(0, at + 1).at(-1)!);
      waiting.shift();
    }
  };
  return {
    outerPid: child.pid!,
    ended: new Promise(resolve => child.once('exit', code => resolve(code ?? undefined))),
    send: text => void child.stdin.write(`${text}\n`),
    kill: () => void child.kill('SIGKILL'),
    line: wanted =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`no line ${String(wanted)}; unread: ${lines.join(' | ')}`));
        }, LINE_LIMIT_MS);
        const give = (text: string): void => {
          clearTimeout(timer);
          resolve(text);
        };
        waiting.push({ wanted, give });
        serve();
      }),
  };
}
