import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { down, find, isUp, up, type LocalCluster } from '../scripts/kubernetes/cluster.ts';
import { run } from '../scripts/kubernetes/run.ts';

const name = 'throw-away';

/** Everything of this machine that could be a trace of the cluster. */
async function traces(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter(entry => /^\d+$/.test(entry));
  const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const processes = await Promise.all(pids.map(pid => read(`/proc/${pid}/cmdline`)));
  const groups = await Promise.all(pids.map(pid => read(`/proc/${pid}/cgroup`)));
  const mounts = (await read('/proc/self/mounts')).split('\n');
  const cgroups = (await run('find', ['/sys/fs/cgroup', '-type', 'd', '-name', name])).split('\n');
  const found = [...processes.filter(line => !line.startsWith('find')), ...groups, ...mounts, ...cgroups];
  // An ended process keeps the name of its removed cgroup until its parent has heard of the end.
  return found.filter(text => text.includes(`/${name}`) && !text.includes('(deleted)'));
}

/** The link by which this machine reaches an address. */
async function linkTo(address: string): Promise<string> {
  const [route] = JSON.parse(await run('ip', ['-json', 'route', 'get', address])) as { dev: string }[];
  return route?.dev ?? '';
}

describe('local Kubernetes without nodes', function () {
  this.timeout(15 * 60_000);
  let cluster: LocalCluster;

  before(async () => {
    await down(name);
    cluster = await up({ name, nodes: 0 });
  });
  after(() => down(name));

  const kubectl = (...args: string[]): Promise<string> =>
    run(cluster.kubectl, args, { env: { KUBECONFIG: cluster.kubeconfig } });

  it('serves the version that its source names', async () => {
    const { serverVersion } = JSON.parse(await kubectl('version', '-o', 'json')) as {
      serverVersion: { gitVersion: string };
    };
    const goMod = await readFile('e2e/kubernetes/go.mod', 'utf8');
    expect(goMod).to.contain(`k8s.io/kubernetes ${serverVersion.gitVersion}\n`);
  });

  it('logs each request once, with who asked', async () => {
    await kubectl('create', 'configmap', 'seen', '--namespace', 'default');
    const events = (await readFile(cluster.auditLog, 'utf8'))
      .split('\n')
      .filter(line => line.includes('"name":"seen"'));
    expect(events.map(line => JSON.parse(line) as object)).to.have.lengthOf(1);
    expect(events[0]).to.contain('"username":"admin"').and.to.contain('"verb":"create"');
  });

  it('is left alone by a second up', async () => {
    const processes = await traces();
    await up({ name, nodes: 0 });
    expect(await traces()).to.have.lengthOf(processes.length);
    expect(await isUp(name)).to.be.true;
  });

  it('refuses another number of nodes', async () => {
    const error: unknown = await up({ name, nodes: 1 }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(String(error)).to.contain('take it down first');
  });

  it('leaves nothing behind, also when parts of it were killed before', async () => {
    const server = /server: https:\/\/([\d.]+):/.exec(await readFile(cluster.kubeconfig, 'utf8'))?.[1] ?? '';
    const link = await linkTo(server);
    expect(link).to.match(/^polardb-k8s-/);
    const etcd = (await run('pgrep', ['-f', `etcd --data-dir=.*/${name}/`])).trim();
    process.kill(Number(etcd), 'SIGKILL');
    await cluster.down();
    expect(await traces()).to.deep.equal([]);
    expect(await linkTo(server).catch(() => 'none')).not.to.equal(link);
    expect(existsSync(cluster.kubeconfig)).to.be.false;
    expect(await find(name)).to.equal(undefined);
  });
});
