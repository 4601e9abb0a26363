import { expect } from 'chai';
import type { Database } from './support/database.ts';
import { localSpec } from './support/engine.ts';
import { ManagerApi, MOVER, READER } from './support/manager-api.ts';
import { Operations } from './support/operations.ts';
import { scenario } from './support/scenario.ts';

describe('the API of the cluster manager', function () {
  this.timeout(240_000);
  const scene = scenario('api');
  let database: Database;
  let api: ManagerApi;

  before(async () => {
    database = await scene.newCluster('orders', localSpec(1));
    api = await ManagerApi.open(scene, 'orders');
    await api.account('reader', READER);
    await api.account('mover', MOVER);
    await database.ready();
  });
  after(() => api.close());

  it('tells nothing to whom the API server does not know, and lets nobody do what RBAC does not grant', async () => {
    expect((await api.call(undefined, 'GET', '/status')).status).to.equal(401);
    const refused = await api.call('reader', 'POST', '/switchover', { to: '1' });
    expect(refused.status).to.equal(403);
    expect(refused.msg).to.contain('may not create mpdclusters/switchover');
  });

  it('shows topology and version', async () => {
    const { data } = await api.call('reader', 'GET', '/status?type=visual');
    const { rw, ro, cluster_manager: managers } = data as { rw: unknown; ro: unknown[]; cluster_manager: unknown[] };
    expect(rw).to.include({ phase: 'RUNNING', role: 'RW' });
    expect(ro).to.have.lengthOf(1);
    expect(managers).not.to.be.empty;
    expect((await api.call('reader', 'GET', '/version')).data).to.have.property('version');
  });

  it('holds automatic failover off, and ends that', async () => {
    expect((await api.call('mover', 'POST', '/enable', { enable: 0, seconds: 600 })).status).to.equal(200);
    expect((await api.call('reader', 'GET', '/ha_mode')).data).to.include({ mode: 'manual' });
    expect((await api.call('mover', 'POST', '/ha_mode', { mode: 'auto' })).data).to.deep.equal({ mode: 'auto' });
  });

  it('moves the RW by an operation that it names, and tells of it afterwards', async () => {
    const [ro] = await database.pods('ro');
    const to = database.instanceOf(ro!);
    const asked = await api.call('mover', 'POST', '/switchover', { to });
    expect(asked.status).to.equal(202);
    const { status } = await new Operations(scene, database).ended(String(asked.data?.operation));
    expect(status?.phase, status?.message).to.equal('Succeeded');
    expect((await database.rwPod()).metadata.name).to.equal(ro!.metadata.name);
    await scene.eventually('the switch is in the log', async () => {
      const { data } = await api.call('reader', 'GET', '/switch_log');
      const [newest] = data?.LogItems as { to?: string; cause?: string }[];
      return newest?.to === to && newest.cause === 'Switchover' ? true : undefined;
    });
  });
});
