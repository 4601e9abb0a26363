import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../scripts/kubernetes/run.ts';
import { controlPlane } from '../../scripts/kubernetes/control-plane.ts';
import type { LocalCluster } from '../../scripts/kubernetes/cluster.ts';
import { entering, runningMachines, type Machine } from '../../scripts/kubernetes/machines.ts';
import { machineDirectory } from '../../scripts/kubernetes/paths.ts';
import { eventually } from './eventually.ts';
import { signal } from './processes.ts';

/** Takes a fault back. May be called again. */
export type Mend = () => Promise<void>;

/** Name of the nftables tables that drop packets for us. */
const TABLE = 'e2e_fault';

/** As the kernel names them. */
const CONTROLLERS = ['kube-controller', 'kube-scheduler'];

/**
 * Things that go wrong with a node, its link or the control plane; each returns how to take it back. This machine should
 * reach Services by a node that none of it befalls.
 */
export class Faults {
  readonly #local: LocalCluster;
  readonly #mends = new Set<Mend>();

  constructor(local: LocalCluster) {
    this.#local = local;
  }

  /** Nothing comes or goes; the processes of the node go on. */
  async cutLink(node: string): Promise<Mend> {
    await this.#local.loseNode(node);
    return this.#mend(() => this.#local.restoreNode(node));
  }

  /** `in`: the node hears nothing but is heard; `out`: the other way round. */
  async cutOneWay(node: string, direction: 'in' | 'out'): Promise<Mend> {
    // Where the packets come in: at the node's own end of the link, or at the switch's.
    const [machine, device] = direction === 'in' ? [node, 'eth0'] : [controlPlane, node];
    const hook = `type filter hook ingress device ${device} priority 0; policy drop;`;
    await this.#nft(machine, `add table netdev ${TABLE}; add chain netdev ${TABLE} ingress { ${hook} }`);
    return this.#mend(() => this.#nft(machine, `delete table netdev ${TABLE}`));
  }

  /** The kubelet is gone: killed, and not started again. Pods run on. */
  async stopKubelet(node: string): Promise<Mend> {
    const mend = await this.#hold(node, 'kubelet');
    return this.#mend(mend);
  }

  /** Connections to the API server are refused, until it is let start again. */
  async stopApiServer(): Promise<Mend> {
    const mend = await this.#hold(controlPlane, 'kube-apiserver');
    return this.#mend(async () => {
      await mend();
      await eventually('the API server answers', () => this.#apiServerAnswers());
    });
  }

  /**
   * Kubernetes' own programs are started anew: by themselves they wait up to a minute before they look at a server that
   * was away. Costs the machine some seconds of its processors.
   */
  async watchAnew(): Promise<void> {
    await this.#killPrograms(controlPlane, CONTROLLERS);
    for (const { name } of this.#local.nodes) await this.#killPrograms(name, ['kubelet', 'kube-proxy']);
  }

  /** The API server takes requests and does not answer; what hangs is done late. */
  freezeApiServer(): Promise<Mend> {
    return this.freeze('kube-apiserver');
  }

  /** A program of the control plane stands still, by the name of its process. */
  async freeze(program: string): Promise<Mend> {
    const pids = await this.#pidsOf(controlPlane, program);
    await this.#kill(controlPlane, ['-STOP', ...pids]);
    return this.#mend(() => this.#kill(controlPlane, ['-CONT', ...pids]));
  }

  /**
   * Copies what etcd has now, as after a cut of the power.
   * @returns puts the copy in its place: all that was written since is forgotten. Whoever watches begins anew.
   */
  async snapshotEtcd(): Promise<() => Promise<void>> {
    const data = join(machineDirectory(this.#local.name, controlPlane), 'etcd');
    const [copy, lost] = [`${data}.copy`, `${data}.lost`];
    const etcd = await this.#pidsOf(controlPlane, 'etcd');
    await this.#kill(controlPlane, ['-STOP', ...etcd]);
    await run('cp', ['--archive', data, copy]);
    await this.#kill(controlPlane, ['-CONT', ...etcd]);
    return async () => {
      await this.#killPrograms(controlPlane, ['kube-apiserver', 'etcd', ...CONTROLLERS]);
      // They are started again after a second.
      await rename(data, lost);
      await rename(copy, data);
      await rm(lost, { recursive: true });
      await eventually('the API server answers', () => this.#apiServerAnswers());
      await this.watchAnew();
    };
  }

  /** Processes stand still. */
  pause(pids: readonly number[]): Mend {
    signal('SIGSTOP', pids);
    return this.#mend(() => {
      signal('SIGCONT', pids);
      return Promise.resolve();
    });
  }

  /** Takes back whatever is not yet: for the end of a test that failed. */
  async mendAll(): Promise<void> {
    for (const mend of [...this.#mends]) await mend();
  }

  #mend(work: Mend): Mend {
    const once: Mend = async () => {
      if (this.#mends.delete(once)) await work();
    };
    this.#mends.add(once);
    return once;
  }

  /** Kills a program of a machine, whose first process does not get to start it again. */
  async #hold(machine: string, program: string): Promise<Mend> {
    const { pid } = await machineOf(this.#local.name, machine);
    signal('SIGSTOP', [pid]);
    await this.#killPrograms(machine, [program]);
    return () => {
      signal('SIGCONT', [pid]);
      return Promise.resolve();
    };
  }

  async #killPrograms(machine: string, programs: readonly string[]): Promise<void> {
    const pids = await Promise.all(programs.map(name => this.#pidsOf(machine, name)));
    if (pids.flat().length > 0) await this.#kill(machine, ['-KILL', ...pids.flat()]);
  }

  async #kill(machine: string, args: readonly string[]): Promise<void> {
    await this.#local.exec(machine, ['kill', ...args]);
  }

  async #pidsOf(machine: string, program: string): Promise<string[]> {
    const text = await this.#local.exec(machine, ['pgrep', '-x', program]).catch(() => '');
    return text.split('\n').filter(Boolean);
  }

  async #apiServerAnswers(): Promise<true> {
    const { kubectl, kubeconfig } = this.#local;
    await run(kubectl, ['--kubeconfig', kubeconfig, 'get', '--raw', '/readyz']);
    return true;
  }

  async #nft(machine: string, commands: string): Promise<void> {
    await run('nsenter', [...(await enterNetwork(this.#local.name, machine)), 'nft', commands]);
  }
}

/** Arguments of nsenter(1) that put a program of this machine into the network of a node or of the control plane. */
export async function enterNetwork(cluster: string, machine: string): Promise<string[]> {
  return entering(await machineOf(cluster, machine), 'network');
}

async function machineOf(cluster: string, name: string): Promise<Machine> {
  const found = (await runningMachines(cluster)).find(machine => machine.name === name);
  if (!found) throw new Error(`cluster ${cluster} has no machine ${name} that runs`);
  return found;
}
