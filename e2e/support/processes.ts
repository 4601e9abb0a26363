import type { Pod } from '../../operator/kube/resources.ts';
import { run } from '../../scripts/kubernetes/run.ts';
import { eventually } from './eventually.ts';

/** The processes of an engine pod by what they are, with their PIDs on this machine. */
export interface EngineProcesses {
  tini: number;
  agent: number;
  guard?: number;
  /** The engine's first process. */
  postmaster?: number;
  /** Its children, `what` as the engine calls them: `app postgres 10.1.2.3(4567) INSERT`, `walwriter`. */
  children: { pid: number; what: string }[];
}

interface Line {
  pid: number;
  parent: number;
  args: string;
}

/**
 * As this machine sees them, which carries all nodes: a pod whose link is cut, or that the API server has forgotten,
 * shows its processes too.
 * @throws Error when the pod has no agent now
 */
export async function engineProcesses(pod: Pod): Promise<EngineProcesses> {
  const lines = await processesOf(pod);
  const tini = lines.find(({ args }) => /^\S*\/tini /.test(args));
  const agent = lines.find(({ parent, args }) => parent === tini?.pid && args.includes('/program/agent.mjs'));
  if (!tini || !agent) throw new Error(`no agent among ${lines.map(({ args }) => args).join(', ')}`);
  const guard = lines.find(({ parent, args }) => parent === agent.pid && args.includes('/busybox sh -c'));
  const postmaster = lines.find(({ parent, args }) => parent === agent.pid && isPostmaster(args));
  return {
    tini: tini.pid,
    agent: agent.pid,
    ...(guard && { guard: guard.pid }),
    ...(postmaster && { postmaster: postmaster.pid }),
    children: lines.flatMap(({ pid, args }) => (isChild(args) ? { pid, what: args.slice('postgres: '.length) } : [])),
  };
}

/** PIDs of all of an engine, its first process and children. */
export const engineOf = ({ postmaster, children }: EngineProcesses): number[] => [
  ...(postmaster === undefined ? [] : [postmaster]),
  ...children.map(({ pid }) => pid),
];

/** Whether anything of the engine runs in a pod: its first process, or one that outlived it. */
export async function hasEngine(pod: Pod): Promise<boolean> {
  return (await processesOf(pod)).some(({ args }) => isPostmaster(args) || isChild(args));
}

/** PIDs of all programs in a pod. */
export async function programsOf(pod: Pod): Promise<number[]> {
  const lines = await processesOf(pod);
  return lines.filter(line => !holdsSandbox(line)).map(({ pid }) => pid);
}

/** PID of what holds a pod's sandbox: the kubelet starts the whole pod again without it, as after a restart of its host. */
export async function sandboxOf(pod: Pod): Promise<number> {
  const found = (await processesOf(pod)).find(holdsSandbox);
  if (!found) throw new Error(`pod ${pod.metadata.name} has no sandbox`);
  return found.pid;
}

/** Processes that have ended meanwhile are passed over. */
export function signal(which: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT', pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, which);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Kills an engine's first process alone; returns when the others, which may go on for a while without it, are gone too. */
export async function killPostmaster(pod: Pod): Promise<void> {
  const engine = await engineProcesses(pod);
  signal('SIGKILL', [engine.postmaster!]);
  await eventually('nothing of the engine is left', () => !engineOf(engine).some(isAlive) || undefined, {
    everyMs: 20,
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function processesOf({ metadata }: Pod): Promise<Line[]> {
  const text = await run('ps', ['-ww', '-eo', 'pid=,ppid=,stat=,cgroup:4096=,args=']);
  return text.split('\n').flatMap(line => {
    const [, pid, parent, state, cgroup, args] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    const isOurs = cgroup?.includes(`/pod${metadata.uid ?? ''}/`) && !state?.startsWith('Z');
    return isOurs ? { pid: Number(pid), parent: Number(parent), args: args! } : [];
  });
}

const holdsSandbox = ({ args }: Line): boolean => args === '/pause';
const isPostmaster = (args: string): boolean => /^\S*\/(postgres|postmaster) -D /.test(args);
const isChild = (args: string): boolean => args.startsWith('postgres: ');
