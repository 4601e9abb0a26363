import type { Pod } from '../../operator/kube/resources.ts';
import type { LocalCluster } from '../../scripts/kubernetes/cluster.ts';

export type Signal = 'KILL' | 'STOP' | 'CONT' | 'TERM';

/** The processes of an engine pod by what they are, with the PIDs of its node. */
export interface EngineProcesses {
  node: string;
  tini: number;
  agent: number;
  guard?: number;
  /** The engine's first process. */
  postmaster?: number;
  /** Children of the postmaster, `what` as the engine calls them: `app postgres 10.1.2.3(4567) INSERT`, `walwriter`. */
  children: { pid: number; what: string }[];
}

interface Line {
  pid: number;
  parent: number;
  args: string;
}

type Node = Pick<LocalCluster, 'exec'>;

/**
 * As the node itself sees them: a pod whose link is cut, or that the API server has forgotten, shows its processes too.
 * @throws Error when the pod has no agent now
 */
export async function engineProcesses(local: Node, { metadata, spec }: Pod): Promise<EngineProcesses> {
  const node = spec?.nodeName ?? '';
  return { node, ...sort(await processesOfPod(local, node, metadata.uid ?? '')) };
}

/** Whether anything of the engine runs in a pod: its first process or one that outlived it. */
export async function hasEngine(local: Node, { metadata, spec }: Pod): Promise<boolean> {
  const lines = await processesOfPod(local, spec?.nodeName ?? '', metadata.uid ?? '');
  return lines.some(({ args }) => isPostmaster(args) || args.startsWith('postgres: '));
}

export async function signal(local: Node, node: string, which: Signal, pids: readonly number[]): Promise<void> {
  await local.exec(node, ['kill', `-${which}`, ...pids.map(String)]);
}

async function processesOfPod(local: Node, node: string, uid: string): Promise<Line[]> {
  const text = await local.exec(node, ['ps', '-ww', '-eo', 'pid=,ppid=,cgroup:4096=,args=']);
  return text.split('\n').flatMap(line => {
    const [, pid, parent, cgroup, args] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return cgroup?.includes(`/pod${uid}/`) ? { pid: Number(pid), parent: Number(parent), args: args! } : [];
  });
}

const isPostmaster = (args: string): boolean => /^\S*\/(postgres|postmaster) -D /.test(args);

function sort(lines: readonly Line[]): Omit<EngineProcesses, 'node'> {
  const tini = lines.find(({ args }) => /^\S*\/tini /.test(args));
  const agent = lines.find(({ parent, args }) => parent === tini?.pid && args.includes('/program/agent.mjs'));
  if (!tini || !agent) throw new Error(`no agent among ${lines.map(({ args }) => args).join(', ')}`);
  const guard = lines.find(({ parent, args }) => parent === agent.pid && args.includes('/busybox sh -c'));
  const postmaster = lines.find(({ parent, args }) => parent === agent.pid && isPostmaster(args));
  const children = lines
    .filter(({ args }) => args.startsWith('postgres: '))
    .map(({ pid, args }) => ({ pid, what: args.slice('postgres: '.length).trim() }));
  return {
    tini: tini.pid,
    agent: agent.pid,
    ...(guard && { guard: guard.pid }),
    ...(postmaster && { postmaster: postmaster.pid }),
    children,
  };
}
