import { expect } from 'chai';
import type { LogsReport } from '../operator/daemon/logs/report.ts';
import { RESOURCES } from '../operator/kube/resources.ts';
import { logReportName, versionAvailabilityName } from '../operator/model/host.ts';
import { e2eImages } from './support/cluster.ts';
import type { Host } from './support/host.ts';
import { SETTINGS_NAMESPACE } from './support/host-daemons.ts';
import { hostScenario } from './support/host-scenario.ts';

describe('daemons of hosts tell who may ask', function () {
  this.timeout(120_000);
  const opened = hostScenario('hosts-api');
  const { scene, daemons } = opened;
  const at = (n: 0 | 1 | 2): Host => opened.hosts[n];
  const IMAGE = 'localhost/hosts-e2e:1';
  const MAP = { namespace: SETTINGS_NAMESPACE, name: 'postgresql-1-0-minor-version-info-rwo-hosts-e2e' };
  const ctr = (host: Host, line: string): Promise<string> => host.sh(`ctr --namespace k8s.io images ${line}`);
  const versions = async ({ name }: Host): Promise<Record<string, string>> =>
    (await daemons.map(versionAvailabilityName(name)))?.data ?? {};

  it('nothing without a token that may ask', async () => {
    const { name: node } = at(0);
    for (const [method, path] of [
      ['GET', '/host'],
      ['GET', '/ports?port=22'],
      ['POST', '/logs/plan'],
      ['POST', '/logs/clean'],
      ['POST', '/InnerCheckCoreVersion'],
      ['POST', '/RequestCheckCoreVersion'],
      ['GET', '/GetStandByIp?podName=none'],
    ] as const) {
      expect((await opened.api.call(undefined, method, { node, path })).status, path).to.equal(401);
      expect((await opened.api.call('nobody', method, { node, path })).status, path).to.equal(403);
    }
    expect((await opened.api.call(undefined, 'GET', { node, path: '/TestConn' })).status).to.equal(401);
    const { requestId, ...answer } = await opened.api.call('nobody', 'GET', { node, path: '/TestConn' });
    expect(answer).to.deep.equal({ status: 200, code: '1', data: { message: 'connected' }, message: '' });
    expect(requestId).not.to.equal('');
  });

  it('who waits at a port', async () => {
    const { data } = await opened.api.call('admin', 'GET', { node: at(0).name, path: '/ports?port=22' });
    expect(JSON.stringify(data)).to.contain('sshd');
  });

  it('on all hosts which versions can run there now', async () => {
    const { stack } = await e2eImages();
    await Promise.all(opened.hosts.map(host => ctr(host, `tag ${stack.name} ${IMAGE}`)));
    const labels = { configtype: 'minor_version_info', dbClusterMode: 'WriteReadMore', dbType: 'PostgreSQL' };
    await scene.client.create(RESOURCES.configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...MAP, labels },
      data: { name: 'hosts-e2e', engine: 'postgresql', pgEngineImage: IMAGE },
    });
    try {
      await versionsAre([true, true, true]);
      await ctr(at(2), `rm ${IMAGE}`);
      await checkAll();
      await versionsAre([true, true, false]);
      expect((await versions(at(2)))['missingImages']).to.contain(`hosts-e2e: ${IMAGE}\n`);
      await ctr(at(2), `tag ${stack.name} ${IMAGE}`);
      await checkAll();
      await versionsAre([true, true, true]);
      const { checkTime } = await versions(at(2));
      expect(checkTime).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    } finally {
      await scene.client.delete(RESOURCES.configMaps, MAP);
      await Promise.all(opened.hosts.map(host => ctr(host, `rm ${IMAGE}`)));
    }
    await versionsAre([false, false, false]);
  });

  async function checkAll(): Promise<void> {
    const asked = { node: at(0).name, path: '/RequestCheckCoreVersion' };
    const { status, data } = await opened.api.call('admin', 'POST', asked);
    const told = (data as { hosts: { host: string; isDone: boolean }[] }).hosts.map(it => [it.host, it.isDone]);
    expect(told).to.deep.equal(opened.hosts.map(({ name }) => [name, true]));
    expect(status).to.equal(200);
  }

  const versionsAre = (wanted: boolean[]): Promise<unknown> =>
    scene.eventually(
      `version there: ${String(wanted)}`,
      async () => {
        const all = await Promise.all(opened.hosts.map(versions));
        const has = all.map(({ existingVersions = '' }) => existingVersions.split(',').includes('hosts-e2e'));
        expect(has).to.deep.equal(wanted);
        return true;
      },
      { deadlineMs: 10_000 },
    );

  it('what a clean-up of logs would do, and do it', async () => {
    const { name: node } = at(1);
    const root = '/disk1/polardb';
    const [live, old] = [`${root}/990101/log`, `${root}/990101/log/postgresql-1.log`];
    const clear = (): Promise<string> => at(1).sh(`rm -rf ${root}/990101 ${root}/odd`);
    // Of a run that did not come to its end.
    await clear();
    await at(1).sh(`mkdir -p ${live} ${root}/990101/data ${root}/990101/rm_data_20200101000000 ${root}/odd`);
    await at(1).sh(`echo old >${old}; echo new >${live}/postgresql-2.log; echo other >${live}/manager.log`);
    await at(1).sh(`ln -s /etc/hostname ${live}/postgresql-0.log; touch -d '30 days ago' ${old} ${live}/manager.log`);
    await at(1).sh(
      `echo x >${root}/990101/rm_data_20200101000000/base; cd ${root}/990101; touch -d '30 days ago' rm_data_20200101000000/base rm_data_20200101000000`,
    );
    const list = (): Promise<string[]> =>
      at(1)
        .sh(`find ${root}/990101 ${root}/odd | sort`)
        .then(text => text.trim().split('\n'));
    const before = await list();
    const { data } = await opened.api.call('admin', 'POST', { node, path: '/logs/plan' });
    const plan = data as LogsReport;
    expect(plan.actions.map(({ rule, path }) => `${rule} ${path}`)).to.have.members([
      'LogAge 990101/log/postgresql-1.log',
      'RmDataAge 990101/rm_data_20200101000000',
    ]);
    expect(await list(), 'a plan changes nothing').to.deep.equal(before);
    const since = new Date().toISOString();
    const { status, data: asked } = await opened.api.call('admin', 'POST', { node, path: '/logs/clean' });
    expect([status, asked]).to.deep.equal([202, { report: logReportName(node) }]);
    await scene.eventually('the clean-up is done', async () => {
      const { startedAt = '', state, mode } = (await daemons.map(logReportName(node)))?.data ?? {};
      return startedAt >= since && state === 'done' && mode === 'apply' ? true : undefined;
    });
    const isGone = (path: string): boolean => path === old || path.includes('/rm_data_');
    expect(await list()).to.deep.equal(before.filter(path => !isGone(path)));
    await clear();
  });
});
