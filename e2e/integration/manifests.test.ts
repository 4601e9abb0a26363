import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { synth } from '../../manifests/synth.ts';
import { controlPlane, type ControlPlane } from '../support/control-plane.ts';

const run = promisify(execFile);
/** Not the usual ones, so that tests do not meet; everything else is as it is shipped. */
const system = `manifests-${process.pid}`;
const settings = `${system}-settings`;
const shop = `${system}-shop`;
const OPERATOR = 'polardb-stack-operator';
const DAEMON = 'polardb-stack-daemon';
const CLUSTER_MANAGER = 'polardb-stack-cluster-manager';

describe('manifests on a real API server', function () {
  this.timeout(60_000);
  let plane: ControlPlane;
  let dist: string;

  const kubectl = (...args: string[]) =>
    run(plane.kubectl, args, { env: { ...process.env, KUBECONFIG: plane.kubeconfig } });
  const write = (overrides: object = {}) =>
    synth(dist, { systemNamespace: system, settingsNamespace: settings, ...overrides });
  const lines = (text: string): string[] => text.trim().split('\n');
  /** `kubectl auth can-i` ends with 1 for no. */
  const rightsOf =
    (part: string) =>
    async (verb: string, resource: string, namespace: string, ...more: string[]): Promise<boolean> => {
      const as = `--as=system:serviceaccount:${system}:${part}`;
      const asked = kubectl('auth', 'can-i', verb, resource, '-n', namespace, as, '-q', ...more);
      return asked.then(
        () => true,
        () => false,
      );
    };

  before(async function () {
    this.timeout(900_000);
    plane = await controlPlane();
    dist = await mkdtemp(join(tmpdir(), 'manifests-'));
    for (const name of [settings, shop]) await kubectl('create', 'namespace', name);
    write();
  });

  after(async () => {
    await kubectl('delete', '--ignore-not-found', '--wait=false', '-f', join(dist, '0002-access.yaml'));
    await kubectl('delete', '--ignore-not-found', '--wait=false', 'namespace', system, settings, shop);
    await rm(dist, { recursive: true, force: true });
  });

  it('install by one plain apply, without a warning (unknown fields, Pod Security)', async () => {
    const { stdout, stderr } = await kubectl('apply', '-f', dist);
    expect(stderr).to.equal('');
    expect(lines(stdout).length).to.be.above(30);
  });

  it('change nothing when they are applied again', async () => {
    const { stdout } = await kubectl('apply', '-f', dist);
    for (const line of lines(stdout)) expect(line).to.match(/ unchanged$/);
  });

  it('are what the API server would store, by its own dry run', async () => {
    const { stdout } = await kubectl('diff', '-f', dist);
    expect(stdout).to.equal('');
  });

  it('leave the counter of ids alone', async () => {
    const counter = ['get', 'configmap', '-n', settings, 'polardb4mpd-controller', '-o', 'jsonpath={.data}'];
    const patch = '{"data":{"NextClusterScopeCustInsId":"1042"}}';
    await kubectl('patch', 'configmap', '-n', settings, 'polardb4mpd-controller', '--type=merge', '-p', patch);
    await kubectl('apply', '-f', dist);
    expect((await kubectl(...counter)).stdout).to.equal('{"NextClusterScopeCustInsId":"1042"}');
  });

  it('bring samples that the kinds accept', async () => {
    const folder = join(dist, 'clusters');
    expect(await readdir(folder)).to.have.length(3);
    const { stdout, stderr } = await kubectl('apply', '--dry-run=server', '-f', folder);
    expect(stderr).to.equal('');
    expect(lines(stdout)).to.have.length(4);
  });

  it('let the pods of our parts but the daemon in where only restricted pods may run', async () => {
    await kubectl('label', 'namespace', system, '--overwrite', 'pod-security.kubernetes.io/enforce=restricted');
    for (const part of [OPERATOR, CLUSTER_MANAGER]) {
      const pod = await kubectl('get', 'deployment', '-n', system, part, '-o', 'json');
      const { template } = (JSON.parse(pod.stdout) as { spec: { template: { metadata: object; spec: object } } }).spec;
      const overrides = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', spec: template.spec });
      const args = ['run', 'probe', '-n', system, '--image=x', '--dry-run=server', `--overrides=${overrides}`];
      expect((await kubectl(...args)).stdout).to.contain('pod/probe created');
    }
    const root = kubectl('run', 'probe', '-n', system, '--image=x', '--dry-run=server');
    expect(await root.catch((error: unknown) => String(error))).to.contain('violates PodSecurity "restricted');
  });

  it('grant the operator what it needs, and no more', async () => {
    const may = rightsOf(OPERATOR);
    expect(await may('get', 'secrets', shop)).to.equal(true);
    expect(await may('watch', 'configmaps', settings)).to.equal(true);
    expect(await may('update', 'configmaps/polardb4mpd-controller', settings)).to.equal(true);
    expect(await may('update', 'leases', system)).to.equal(true);
    expect(await may('create', 'pods', shop, '--subresource=exec')).to.equal(false);
    expect(await may('update', 'mpdclusters', shop, '--subresource=scale')).to.equal(false);
    expect(await may('update', 'nodes', shop)).to.equal(false);
    expect(await may('update', 'leases', shop)).to.equal(false);
  });

  it('grant the cluster manager who is RW, and no Secret but its own', async () => {
    const may = rightsOf(CLUSTER_MANAGER);
    expect(await may('update', 'leases', shop)).to.equal(true);
    expect(await may('patch', 'endpointslices.discovery.k8s.io', shop)).to.equal(true);
    expect(await may('get', 'leases', 'kube-node-lease')).to.equal(true);
    expect(await may('watch', 'secrets/polardb-stack-cluster-manager-tls', system)).to.equal(true);
    expect(await may('get', 'secrets/polardb-stack-ca', system)).to.equal(false);
    expect(await may('get', 'secrets', shop)).to.equal(false);
    expect(await may('delete', 'pods', shop)).to.equal(false);
  });

  it('grant the daemon facts of hosts, and no Secret', async () => {
    const may = rightsOf(DAEMON);
    expect(await may('patch', 'nodes', shop, '--subresource=status')).to.equal(true);
    expect(await may('update', 'configmaps', settings)).to.equal(true);
    expect(await may('list', 'mpdclusters', shop)).to.equal(true);
    expect(await may('patch', 'nodes', shop)).to.equal(false);
    expect(await may('update', 'configmaps', shop)).to.equal(false);
    expect(await may('delete', 'configmaps', settings)).to.equal(false);
    expect(await may('get', 'secrets', system)).to.equal(false);
  });

  it('with watchNamespaces keep our parts out of all others', async () => {
    const may = rightsOf(OPERATOR);
    const mayManager = rightsOf(CLUSTER_MANAGER);
    await kubectl('delete', '-f', join(dist, '0002-access.yaml'));
    write({ watchNamespaces: [shop] });
    await kubectl('apply', '-f', dist);
    expect(await may('get', 'secrets', shop)).to.equal(true);
    expect(await may('get', 'secrets', 'default')).to.equal(false);
    expect(await may('list', 'pods', 'default')).to.equal(false);
    expect(await may('list', 'nodes', 'default')).to.equal(true);
    expect(await mayManager('update', 'leases', shop)).to.equal(true);
    expect(await mayManager('update', 'leases', 'default')).to.equal(false);
    expect(await mayManager('get', 'leases', 'kube-node-lease')).to.equal(true);
  });
});
