import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addressesOf, nodeAddress } from '../../scripts/kubernetes/addresses.ts';
import { down } from '../../scripts/kubernetes/cluster.ts';
import { bridge } from '../../scripts/kubernetes/control-plane.ts';
import { clusterTools, installTools } from '../../scripts/kubernetes/machine-check.ts';
import { entering, type Machine } from '../../scripts/kubernetes/machines.ts';
import { connectHost, connectNode } from '../../scripts/kubernetes/network.ts';
import { pathsOf } from '../../scripts/kubernetes/paths.ts';
import { silent } from '../../scripts/kubernetes/progress.ts';
import { run, until } from '../../scripts/kubernetes/run.ts';
import { createState, type ClusterState } from '../../scripts/kubernetes/state.ts';

/** What a kill leaves half made is made whole by the next start. */
describe('local Kubernetes after a kill', function () {
  this.timeout(60_000);
  const name = `cut-${process.pid % 100_000}`;
  const children: ChildProcess[] = [];
  let state: ClusterState;

  before(async function () {
    this.timeout(300_000);
    await installTools(clusterTools, silent);
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await down(name);
  });

  it('finds nothing of a cluster whose removal was cut off', async () => {
    const { pki } = pathsOf(name);
    await mkdir(pki, { recursive: true });
    await writeFile(join(pki, 'ca.crt'), 'of other addresses');
    state = await createState({ name, nodes: 1, fastNodeLoss: true, programs: '/nowhere' });
    expect(existsSync(pki)).to.be.false;
  });

  it('connects host and node by links that were made and not finished', async () => {
    const { hostLink, host } = addressesOf(state.index);
    const [control, node] = [await emptyMachine('control-plane'), await emptyMachine('node-1')];
    await run('nsenter', [...entering(control, 'network'), 'ip', 'link', 'add', bridge, 'type', 'bridge']);
    await run('nsenter', [...entering(control, 'network'), 'ip', 'link', 'set', bridge, 'up']);
    const pair = ['type', 'veth', 'peer', 'name'];
    await run('ip', ['link', 'add', hostLink, ...pair, 'host', 'netns', String(control.pid)]);
    const toNode = [...pair, 'eth0', 'netns', String(node.pid)];
    await run('ip', ['link', 'add', 'node-1', 'netns', String(control.pid), ...toNode]);

    await connectHost(state, control);
    await connectNode(state, control, node, 1);
    const made = await linkOf([], hostLink);
    expect(made.address).to.equal(host);
    expect((await linkOf(entering(node, 'network'), 'eth0')).address).to.equal(nodeAddress(state.index, 1));

    await connectHost(state, control);
    expect(await linkOf([], hostLink), 'a whole one is left alone').to.deep.equal(made);
  });

  /** A network of its own with nothing in it, held by a process. */
  async function emptyMachine(machine: string): Promise<Machine> {
    const child = spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' });
    children.push(child);
    const pid = child.pid!;
    await until(`network of ${machine}`, 10, async () => {
      const [own, its] = await Promise.all(['self', pid].map(one => run('readlink', [`/proc/${one}/ns/net`])));
      return own === its ? undefined : true;
    });
    return { name: machine, pid };
  }
});

async function linkOf(within: readonly string[], link: string): Promise<{ index?: number; address?: string }> {
  const command = ['ip', '-json', '-4', 'address', 'show', 'dev', link];
  const [program = '', ...args] = within.length === 0 ? command : ['nsenter', ...within, ...command];
  const [found] = JSON.parse(await run(program, args)) as { ifindex?: number; addr_info?: { local?: string }[] }[];
  return { index: found?.ifindex, address: found?.addr_info?.[0]?.local };
}
