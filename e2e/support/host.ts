import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { RealSshd } from '../../operator/daemon/host/testing/real-sshd.ts';
import { entering, runningMachines, type Machine } from '../../scripts/kubernetes/machines.ts';
import type { Scenario } from './scenario.ts';

/** A card beside that of the node, whose other end nobody uses. */
export const CARD = 'clients0';
const OTHER_END = 'clients1';

/** What can be changed on one node, as its administrator does. */
export class Host {
  readonly name: string;
  readonly address: string;
  readonly sshd: RealSshd;
  readonly #scene: Scenario;
  readonly #machine: Machine;

  private constructor(scene: Scenario, of: { machine: Machine; address: string; sshd: RealSshd }) {
    this.#scene = scene;
    this.name = of.machine.name;
    this.#machine = of.machine;
    this.address = of.address;
    this.sshd = of.sshd;
  }

  /** With an sshd of its own, which does not run yet. */
  static async open(scene: Scenario, name: string): Promise<Host> {
    const { local } = scene;
    const machine = (await runningMachines(local.name)).find(it => it.name === name)!;
    const { address } = local.nodes.find(it => it.name === name)!;
    const enter = ['nsenter', ...entering(machine, 'all')] as const;
    const sshd = await RealSshd.make({ below: local.sharedDir, address, port: 22, enter });
    const host = new Host(scene, { machine, address, sshd });
    // Of a run that did not come to its end.
    await host.sh('pkill -KILL -x sshd || true');
    await host.removeCard();
    return host;
  }

  /** Runs a line of shell. */
  sh(line: string): Promise<string> {
    return this.#scene.local.exec(this.name, ['sh', '-ec', line]);
  }

  /** A card with these addresses, in this order, that is up. */
  async addCard(...addresses: string[]): Promise<void> {
    await this.sh(`ip link add ${CARD} type veth peer name ${OTHER_END}; ip link set ${OTHER_END} up`);
    for (const address of addresses) await this.sh(`ip address add ${address} dev ${CARD}`);
    await this.sh(`ip link set ${CARD} up`);
  }

  async removeCard(): Promise<void> {
    await this.sh(`ip link show ${CARD} >/dev/null 2>&1 && ip link delete ${CARD} || true`);
  }

  /**
   * Runs a script of Node.js in the network of this node until its input ends; resolves when it has printed something.
   * @returns ends it
   */
  async script(source: string): Promise<() => Promise<void>> {
    const untilEnd = `process.stdin.on('end', () => process.exit()).resume();${source}`;
    const [program, ...args] = ['nsenter', ...entering(this.#machine, 'network')] as const;
    const child = spawn(program, [...args, process.execPath, '-e', untilEnd], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    return async () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    };
  }

  /** The only key that the account takes. */
  async letIn(publicKey: string): Promise<void> {
    await writeFile(this.sshd.path('authorized_keys'), publicKey);
  }

  /** For the next start of sshd. @returns brings the former key back */
  async changeHostKey(): Promise<() => Promise<void>> {
    const names = ['host_key', 'host_key.pub'].map(this.sshd.path);
    const former = await Promise.all(names.map(name => readFile(name)));
    await this.sshd.newKey('host_key');
    return async () => {
      for (const [i, name] of names.entries()) await writeFile(name, former[i]!);
    };
  }

  async close(): Promise<void> {
    await this.removeCard();
    await this.sshd.remove();
  }
}
