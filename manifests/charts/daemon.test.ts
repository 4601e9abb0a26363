import { App, Testing } from 'cdk8s';
import { expect } from 'chai';
import type { IDaemonSet } from 'kubernetes-models/apps/v1';
import { installation } from '../app.ts';
import { checkSite } from '../schema.ts';
import { site } from '../site.ts';
import { DaemonChart } from './daemon.ts';

const daemonSet = (overrides: unknown = {}): IDaemonSet => {
  const [object] = Testing.synth(new DaemonChart(new App(), 'daemon', checkSite(site, overrides))) as [IDaemonSet];
  return object;
};

describe('the DaemonSet', () => {
  const pod = daemonSet().spec!.template.spec!;
  const container = pod.containers[0]!;

  it('knows its host by the name of the node', () =>
    expect(container.env).to.deep.include({
      name: 'CURRENT_NODE_NAME',
      valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } },
    }));

  it('sees files of the host, and writes none but in the folder of logs', () => {
    const hostPaths = (pod.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
    const writable = (container.volumeMounts ?? []).filter(mount => !mount.readOnly).map(({ name }) => name);
    expect(hostPaths).to.deep.equal(['proc', 'sys', 'logs', 'runtime']);
    expect(writable).to.deep.equal(['logs']);
  });

  it('is told the same paths that are mounted', () => {
    const criSocket = '/run/crio/crio.sock';
    const { volumes, containers } = daemonSet({ daemon: { logDirectory: '/data/logs', criSocket } }).spec!.template
      .spec!;
    const paths = (volumes ?? []).flatMap(({ hostPath }) => hostPath?.path ?? []);
    const mounted = containers[0]!.volumeMounts!.map(({ mountPath }) => mountPath);
    for (const path of ['/data/logs', '/run/crio']) {
      expect(paths).to.include(path);
      expect(mounted).to.include(path);
    }
    expect(containers[0]!.args).to.include.members(['--dbcluster-log-dir=/data/logs', `--cri-socket=${criSocket}`]);
  });

  it('runs on every node, whatever its taints', () => expect(pod.tolerations).to.deep.equal([{ operator: 'Exists' }]));

  for (const logDirectory of ['/', 'logs', '/a/../b', '/a b']) {
    it(`refuses the folder "${logDirectory}"`, () =>
      expect(() => daemonSet({ daemon: { logDirectory } })).to.throw('daemon.logDirectory'));
  }
});

it('a site without the daemon has nothing of it, and keeps its namespace restricted', () => {
  const charts = installation(checkSite(site, { daemon: { enabled: false } })).charts.map(
    chart => chart.toJson() as unknown,
  );
  const text = JSON.stringify(charts);
  for (const its of ['DaemonSet', '"name":"polardb-stack-daemon"', 'own-host']) expect(text).not.to.include(its);
  expect(text).to.include('"pod-security.kubernetes.io/enforce":"restricted"');
});
