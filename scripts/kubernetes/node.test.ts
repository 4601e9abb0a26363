import { expect } from 'chai';
import { parse } from 'yaml';
import { controlPlaneFiles, controlPlanePlan } from './control-plane.ts';
import { nodeFiles, nodePlan } from './node.ts';
import { checkName } from './paths.ts';

const settings = { name: 'test', index: 2, nodes: 3, fastNodeLoss: true };
const facts = { programs: '/cache/programs', pauseImage: 'localhost/pause:1', mayLowerOomScore: false };

describe('machines of a local cluster', () => {
  it('see the disk of the machine only below the directory of their cluster', () => {
    const binds = nodePlan(settings, 1, facts).root?.binds ?? [];
    const foreign = binds
      .map(({ source }) => source)
      .filter(path => !path.startsWith('/var/lib/polardb-stack-local/test/'));
    expect(foreign).to.deep.equal([facts.programs]);
  });

  it('differ in address, pod network and cgroup', () => {
    const config = (n: number): string => JSON.stringify([nodeFiles(settings, n, facts), nodePlan(settings, n, facts)]);
    expect(config(1)).to.contain('10.162.64.11').and.to.contain('10.162.129.0/24');
    expect(config(2)).not.to.contain('node-1').and.not.to.contain('10.162.64.11');
  });

  it('notice the loss of a node fast, or as Kubernetes does', () => {
    const kubelet = (fastNodeLoss: boolean): unknown =>
      parse(nodeFiles({ ...settings, fastNodeLoss }, 1, facts)['kubernetes/kubelet.yaml'] ?? '');
    expect(kubelet(true)).to.include({ nodeStatusUpdateFrequency: '2s', nodeLeaseDurationSeconds: 10 });
    expect(kubelet(false)).not.to.have.property('nodeStatusUpdateFrequency');
    const args = JSON.stringify(controlPlanePlan({ ...settings, fastNodeLoss: false }, '/p'));
    expect(args).not.to.contain('node-monitor-grace-period');
  });

  it('leave the OOM score alone where they may not lower it', () => {
    const containerd = (mayLowerOomScore: boolean): string | undefined =>
      nodeFiles(settings, 1, { ...facts, mayLowerOomScore })['kubernetes/containerd.toml'];
    expect(containerd(false)).to.contain('restrict_oom_score_adj = true');
    expect(containerd(true)).to.contain('restrict_oom_score_adj = false');
  });

  it('have no scheduler and no DNS without nodes', () => {
    const names = (nodes: number): string[] => controlPlanePlan({ ...settings, nodes }, '/p').programs.map(p => p.name);
    expect(names(0)).to.deep.equal(['etcd', 'kube-apiserver', 'kube-controller-manager']);
    expect(names(3)).to.include.members(['kube-scheduler', 'coredns']);
  });

  it('log every finished request without its body', () => {
    const policy: unknown = parse(controlPlaneFiles(settings)['audit-policy.yaml'] ?? '');
    expect(policy).to.deep.include({ omitStages: ['RequestReceived'], rules: [{ level: 'Metadata' }] });
  });
});

describe('name of a local cluster', () => {
  for (const good of ['e2e', 'quickstart', 'a-1']) it(`may be ${good}`, () => expect(checkName(good)).to.equal(good));
  for (const bad of ['', '-a', 'a-', 'A', '../x', 'a/b', 'x'.repeat(21)]) {
    it(`may not be "${bad}"`, () => expect(() => checkName(bad)).to.throw('is no name'));
  }
});
