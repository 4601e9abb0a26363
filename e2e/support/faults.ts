import { run } from '../../scripts/kubernetes/run.ts';
import { controlPlane } from '../../scripts/kubernetes/control-plane.ts';
import type { LocalCluster } from '../../scripts/kubernetes/cluster.ts';
import { entering, runningMachines } from '../../scripts/kubernetes/machines.ts';
import { eventually } from './eventually.ts';

/** Takes a fault back. May be called again. */
export type Mend = () => Promise<void>;

/** Name of the nftables tables that drop packets for us. */
const TABLE = 'e2e_fault';

/** Things that go wrong with a node, its link or the control plane; each returns how to take it back. */
export class Faults {
  readonly #local: LocalCluster;
  readonly #mends = new Set<Mend>();

  constructor(local: LocalCluster) {
    this.#local = local;
  }

  /** Nothing comes or goes; the processes of the node go on. */
  async cutLink(node: string): Promise<Mend> {
    await this.#leaveGateway(node);
    await this.#local.loseNode(node);
    return this.#mend(() => this.#local.restoreNode(node));
  }

  /** `in`: the node hears nothing but is heard; `out`: the other way round. */
  async cutOneWay(node: string, direction: 'in' | 'out'): Promise<Mend> {
    await this.#leaveGateway(node);
    // Where the packets come in: at the node's own end of the link, or at the switch's.
    const [machine, device] = direction === 'in' ? [node, 'eth0'] : [controlPlane, node];
    const hook = `type filter hook ingress device ${device} priority 0; policy drop;`;
    await this.#nft(machine, `add table netdev ${TABLE}; add chain netdev ${TABLE} ingress { ${hook} }`);
    return this.#mend(() => this.#nft(machine, `delete table netdev ${TABLE}`));
  }

  /** The kubelet is gone: killed, and its successor is held before it does anything. Pods run on. */
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

  /** The API server takes requests and does not answer; what hangs is done late. */
  async freezeApiServer(): Promise<Mend> {
    const [pid] = await this.#pidsOf(controlPlane, 'kube-apiserver');
    await this.#local.exec(controlPlane, ['kill', '-STOP', pid!]);
    return this.#mend(() => this.#kill(controlPlane, ['-CONT', pid!]));
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

  /** Kills a program of a machine and stops its successor, which the machine starts a second later. */
  async #hold(machine: string, program: string): Promise<Mend> {
    const old = await this.#pidsOf(machine, program);
    await this.#local.exec(machine, ['kill', '-KILL', ...old]);
    const successor = await eventually(
      `${program} is started again`,
      async () => (await this.#pidsOf(machine, program)).find(pid => !old.includes(pid)),
      { everyMs: 10, deadlineMs: 10_000 },
    );
    await this.#local.exec(machine, ['kill', '-STOP', successor]);
    return () => this.#kill(machine, ['-CONT', successor]);
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

  /** Clients on this machine keep reaching Services by a node that has no fault. */
  async #leaveGateway(node: string): Promise<void> {
    const other = this.#local.nodes.find(({ name }) => name !== node);
    if (other) await this.#local.reachServicesBy(other.name);
  }

  async #nft(machine: string, commands: string): Promise<void> {
    await run('nsenter', [...(await enterNetwork(this.#local.name, machine)), 'nft', commands]);
  }
}

/** Arguments of nsenter(1) that put a program of this machine into the network of a node or of the control plane. */
export async function enterNetwork(cluster: string, machine: string): Promise<string[]> {
  const found = (await runningMachines(cluster)).find(({ name }) => name === machine);
  if (!found) throw new Error(`cluster ${cluster} has no machine ${machine} that runs`);
  return entering(found, 'network');
}
