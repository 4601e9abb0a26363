import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { HELPERS } from './helpers.ts';

/** Waits until `check` gives something. @throws Error naming `what` after `limitMs` */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  limitMs = 10_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const result = await check();
    if (result !== undefined && result !== null && result !== false) return result;
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await sleep(10);
  }
}

/** A process of a namespace, as the host sees it. */
export interface Outer {
  pid: number;
  ppid: number;
  command: string;
}

/** Everybody alive in the PID namespace that `unshare` process `pid` made, its init first. */
export function members(pid: number): Outer[] {
  const init = children(pid)[0];
  if (!init) return [];
  const space = namespaceOf(init.pid);
  if (space === undefined) return [];
  return [init, ...all().filter(it => it.pid !== init.pid && namespaceOf(it.pid) === space)];
}

const children = (pid: number): Outer[] => all().filter(it => it.ppid === pid);

function all(): Outer[] {
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const [state = '', ppid = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 2);
      if (state === 'Z') return [];
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      return [{ pid: Number(name), ppid: Number(ppid), command }];
    } catch {
      return [];
    }
  });
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/** A program that runs under tini in a PID namespace of its own, as an agent does in its pod. */
export interface Inside {
  readonly child: ChildProcess;
  /** Next line of standard output that satisfies `wanted`; lines before it are dropped. */
  line(wanted: RegExp): Promise<string>;
  send(text: string): void;
  /** Who is alive in the namespace, seen from outside. */
  members(): Outer[];
  /** Resolves when the namespace is gone. */
  readonly ended: Promise<number | undefined>;
  kill(): void;
}

/** PID 1 of an agent's container: ends when the agent ends. */
const TINI = [HELPERS.tini, '-s', '--'];

/** Runs `node file args` in a fresh PID namespace with its own /proc; needs root. */
export function runInside(file: string, args: readonly string[] = [], init: readonly string[] = TINI): Inside {
  const command = [...init, process.execPath, file, ...args];
  const child = spawn('unshare', ['--pid', '--fork', '--mount-proc', '--kill-child', ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', text => lines.push(text));
  return {
    child,
    ended: new Promise(resolve => child.once('exit', code => resolve(code ?? undefined))),
    members: () => members(child.pid!),
    send: text => void child.stdin.write(`${text}\n`),
    kill: () => void child.kill('SIGKILL'),
    line: wanted =>
      eventually(`a line ${String(wanted)}, read: ${lines.join(' | ')}`, () => {
        const at = lines.findIndex(text => wanted.test(text));
        return at < 0 ? undefined : lines.splice(0, at + 1).at(-1);
      }),
  };
}
