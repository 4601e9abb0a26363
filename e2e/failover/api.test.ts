import { expect } from 'chai';
import { Agent, fetch } from 'undici';
import { RESOURCES } from '../../operator/kube/resources.ts';
import { MPD_OPERATIONS } from '../../operator/kinds/mpd.ts';
import { CLUSTER_MANAGER_TLS_SECRET } from '../../operator/model/names.ts';
import { decode, type Database } from '../support/database.ts';
import { localSpec } from '../support/engine.ts';
import { scenario } from '../support/scenario.ts';
import { SYSTEM_NAMESPACE } from '../support/stack.ts';

const SERVICE = 'polardb-stack-cluster-manager';

interface Answer {
  status: number;
  msg?: string;
  data?: Record<string, unknown>;
}

describe('the API of the cluster manager', function () {
  this.timeout(240_000);
  const scene = scenario('api');
  let database: Database;
  let dispatcher: Agent;
  let address: string;

  before(async () => {
    database = await scene.newCluster('orders', localSpec(1));
    const secret = await scene.client.get(RESOURCES.secrets, {
      namespace: SYSTEM_NAMESPACE,
      name: CLUSTER_MANAGER_TLS_SECRET,
    });
    const service = await scene.client.get(RESOURCES.services, { namespace: SYSTEM_NAMESPACE, name: SERVICE });
    address = service?.spec?.clusterIP ?? '';
    const ca = decode(secret ?? {})['ca.crt'] ?? '';
    dispatcher = new Agent({ connect: { ca, servername: `${SERVICE}.${SYSTEM_NAMESPACE}.svc` } });
    await account('reader', ['--verb=get', '--resource=mpdclusters.mpd.polardb.aliyun.com']);
    await account('mover', [
      '--verb=create,update,get',
      '--resource=mpdclusters.mpd.polardb.aliyun.com',
      '--resource=mpdclusters.mpd.polardb.aliyun.com/switchover',
      '--resource=mpdclusters.mpd.polardb.aliyun.com/ha',
    ]);
    await database.ready();
  });
  after(() => dispatcher.close());

  /** A service account that may do what the arguments of `kubectl create role` say. */
  async function account(name: string, rights: readonly string[]): Promise<void> {
    const here = ['--namespace', scene.namespace];
    await scene.kubectl.run('create', 'serviceaccount', name, ...here);
    await scene.kubectl.run('create', 'role', name, ...rights, ...here);
    const subject = `--serviceaccount=${scene.namespace}:${name}`;
    await scene.kubectl.run('create', 'rolebinding', name, `--role=${name}`, subject, ...here);
  }

  async function call(who: string | undefined, method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    const token = who && (await scene.kubectl.run('create', 'token', who, '--namespace', scene.namespace)).trim();
    const answer = await fetch(`https://${address}/clusters/${scene.namespace}/orders/v1${path}`, {
      method,
      dispatcher,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, ...((await answer.json()) as object) };
  }

  it('tells nothing to whom the API server does not know, and lets nobody do what RBAC does not grant', async () => {
    expect((await call(undefined, 'GET', '/status')).status).to.equal(401);
    const refused = await call('reader', 'POST', '/switchover', { to: '1' });
    expect(refused.status).to.equal(403);
    expect(refused.msg).to.contain('may not create mpdclusters/switchover');
  });

  it('shows topology and version', async () => {
    const { data } = await call('reader', 'GET', '/status?type=visual');
    const { rw, ro, cluster_manager: managers } = data as { rw: unknown; ro: unknown[]; cluster_manager: unknown[] };
    expect(rw).to.include({ phase: 'RUNNING', role: 'RW' });
    expect(ro).to.have.lengthOf(1);
    expect(managers).not.to.be.empty;
    expect((await call('reader', 'GET', '/version')).data).to.have.property('version');
  });

  it('holds automatic failover off, and ends that', async () => {
    expect((await call('mover', 'POST', '/enable', { enable: 0, seconds: 600 })).status).to.equal(200);
    expect((await call('reader', 'GET', '/ha_mode')).data).to.include({ mode: 'manual' });
    expect((await call('mover', 'POST', '/ha_mode', { mode: 'auto' })).data).to.deep.equal({ mode: 'auto' });
  });

  it('moves the RW by an operation that it names, and tells of it afterwards', async () => {
    const [ro] = await database.pods('ro');
    const before = await database.get();
    const target = Object.entries(before.status?.dbInstanceStatus ?? {}).find(([, it]) => it.insType === 'ro')?.[0];
    const asked = await call('mover', 'POST', '/switchover', { to: target });
    expect(asked.status).to.equal(202);
    const name = String(asked.data?.operation);
    await scene.eventually(`operation ${name} is done`, async () => {
      const found = await scene.client.get(MPD_OPERATIONS, { namespace: scene.namespace, name });
      if (found?.status?.phase === 'Succeeded') return true;
      throw new Error(JSON.stringify(found?.status));
    });
    expect((await database.rwPod()).metadata.name).to.equal(ro?.metadata.name);
    await scene.eventually('the switch is in the log', async () => {
      const { data } = await call('reader', 'GET', '/switch_log');
      const [newest] = data?.LogItems as { to?: string; cause?: string }[];
      return newest?.to === target && newest?.cause === 'Switchover' ? true : undefined;
    });
  });
});
