import type { Kubectl } from '../../scripts/quickstart/kubectl.ts';

/** Where the engine container of a pod is. */
export interface PodRef {
  namespace: string;
  name: string;
}

export interface Process {
  pid: number;
  parent: number;
  command: string;
}

const BUSYBOX = '/polardb-stack/bin/busybox';

/** Runs a program of the helpers in the engine container, which has whatever the user's image has. */
export async function busybox(kubectl: Kubectl, { namespace, name }: PodRef, args: readonly string[]): Promise<string> {
  return await kubectl.run('exec', '--namespace', namespace, name, '--container', 'engine', '--', BUSYBOX, ...args);
}

export async function processes(kubectl: Kubectl, pod: PodRef): Promise<Process[]> {
  const text = await busybox(kubectl, pod, ['ps', '-o', 'pid,ppid,args']);
  const lines = text.trim().split('\n').slice(1);
  return lines.map(line => {
    const [, pid = '', parent = '', command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return { pid: Number(pid), parent: Number(parent), command };
  });
}

/** The agent's process and, when it runs an engine, the engine's first one. */
export async function agentAndPostmaster(
  kubectl: Kubectl,
  pod: PodRef,
): Promise<{ agent: Process; postmaster?: Process }> {
  const all = await processes(kubectl, pod);
  const agent = all.find(({ command }) => command.includes('/program/agent.mjs') && !command.includes('/tini '));
  if (!agent) throw new Error(`no agent among ${all.map(it => it.command).join(', ')}`);
  const postmaster = all.find(({ parent, command }) => parent === agent.pid && /\/postgres\b/.test(command));
  return { agent, ...(postmaster && { postmaster }) };
}

/** Sends SIGKILL inside the container, which may end by it. */
export async function killInside(kubectl: Kubectl, pod: PodRef, { pid }: Process): Promise<void> {
  await busybox(kubectl, pod, ['kill', '-9', String(pid)]).catch((error: unknown) => {
    // The container may end before the answer is out.
    if (!/137|container not found|EOF/.test(String(error))) throw error;
  });
}
