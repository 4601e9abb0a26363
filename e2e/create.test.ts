import { expect } from 'chai';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InstanceStatus } from '../crds/mpdcluster.ts';
import { RESOURCES, type Pod } from '../operator/kube/resources.ts';
import { MPD_CLUSTERS } from '../operator/kinds/mpd.ts';
import { accountSecret } from '../operator/model/names.ts';
import type { Database } from './support/database.ts';
import { decode } from './support/database.ts';
import { localSpec } from './support/engine.ts';
import { scenario } from './support/scenario.ts';
import { applyInstallation } from './support/stack.ts';

describe('a cluster of one RW and two ROs', function () {
  this.timeout(180_000);
  const scene = scenario('create');
  let orders: Database;
  let manifest: string;

  before(async () => {
    orders = scene.database('orders');
    manifest = join(await mkdtemp(join(tmpdir(), 'polardb-stack-e2e-')), 'orders.yaml');
    const { apiVersion, kind } = MPD_CLUSTERS;
    const metadata = { name: 'orders', namespace: scene.namespace };
    // JSON is YAML.
    await writeFile(manifest, JSON.stringify({ apiVersion, kind, metadata, spec: localSpec(2) }));
    expect(await scene.kubectl.apply(manifest)).to.have.lengthOf(1);
    await scene.kubectl.run(
      'wait',
      '--for=condition=Ready',
      '--timeout=150s',
      '--namespace',
      scene.namespace,
      'mpdcluster/orders',
    );
  });
  after(() => rm(join(manifest, '..'), { recursive: true }));

  it('is Ready for its newest spec, as `kubectl wait` says', async () => {
    await orders.isReady();
  });

  it('shows rows through <c>-ro that were written through <c>-rw', async () => {
    await orders.write('first');
    await scene.eventually('the row is there', async () => {
      const rows = await orders.rows('ro');
      return rows.includes('first') ? rows : undefined;
    });
  });

  it('accepts no write through <c>-ro', async () => {
    const attempt = orders.sql('ro', sql => sql('CREATE TABLE refused (x int)'));
    expect(await messageOf(attempt)).to.contain('read-only');
  });

  it('leads <c>-ro to both read-only instances and <c>-rw to the RW alone', async () => {
    const addresses = async (service: 'rw' | 'ro'): Promise<string[]> => {
      const rows = await Promise.all(Array.from({ length: 12 }, () => addressOf(orders, service)));
      return [...new Set(rows)].sort();
    };
    const podAddresses = async (role: 'rw' | 'ro'): Promise<string[]> =>
      (await orders.pods(role)).map(pod => pod.status?.podIP ?? '').sort();
    expect(await addresses('rw')).to.deep.equal(await podAddresses('rw'));
    expect(await addresses('ro')).to.deep.equal(await podAddresses('ro'));
  });

  it('refuses connections without TLS and the superuser over the network', async () => {
    expect(await messageOf(orders.sql('rw', sql => sql('SELECT 1'), { tls: false }))).to.match(/no encryption|reject/);
    const superuser = orders.sql('rw', sql => sql('SELECT 1'), { user: 'postgres' });
    expect(await messageOf(superuser)).to.match(/pg_hba|reject/);
  });

  it('keeps passwords as scram and refuses a wrong one', async () => {
    const facts = await orders.sql('rw', sql =>
      sql<{ encryption: string; ssl: boolean }>(
        `SELECT current_setting('password_encryption') AS encryption, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`,
      ),
    );
    expect(facts).to.deep.equal([{ encryption: 'scram-sha-256', ssl: true }]);
    expect(await messageOf(orders.sql('rw', sql => sql('SELECT 1'), { password: 'wrong' }))).to.contain('password');
  });

  it('lets system accounts in with the passwords of their Secrets, in the form of the original', async () => {
    const { status } = await orders.get();
    const secret = decode(await orders.secret(accountSecret('orders', status?.logicId ?? '', 'aurora')));
    expect(secret).to.have.keys('Account', 'Password', 'Priviledge_type');
    const login = { user: secret.Account!, password: secret.Password! };
    const [row] = await orders.sql('rw', sql => sql<{ who: string }>('SELECT current_user AS who'), login);
    expect(row?.who).to.equal('aurora');
    const hba = `SELECT DISTINCT auth_method FROM pg_hba_file_rules WHERE type = 'hostssl' ORDER BY 1`;
    const methods = await orders.sql('rw', sql => sql<{ auth_method: string }>(hba), login);
    expect(methods.map(it => it.auth_method)).to.deep.equal(['reject', 'scram-sha-256']);
  });

  it('tells applications how to connect in Secret <c>-app', async () => {
    const { uri, ...parts } = await orders.application();
    const url = new URL(uri);
    expect(url.protocol).to.equal('postgresql:');
    expect({
      username: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      host: url.hostname,
      port: url.port,
      dbname: url.pathname.slice(1),
    }).to.deep.equal(parts);
    expect(parts.host).to.equal(`orders-rw.${scene.namespace}.svc`);
    expect(url.searchParams.get('sslmode')).to.equal('require');
  });

  it('answers under the names of the Secret inside of Kubernetes', async () => {
    const { uri } = await orders.application();
    const { metadata } = await orders.rwPod();
    const pod = ['--namespace', scene.namespace, metadata.name, '--container', 'engine'];
    const answer = await scene.kubectl.run('exec', ...pod, '--', 'psql', '-XAtc', 'SELECT current_database()', uri);
    expect(answer.trim()).to.equal('app');
  });

  it('spreads over the three nodes', async () => {
    const nodes = (await orders.pods()).map(pod => pod.spec?.nodeName);
    expect(new Set(nodes).size).to.equal(3);
  });

  it('has the status that users of the original read', async () => {
    const { status = {} } = await orders.get();
    const pods = await orders.pods();
    const rw = await orders.rwPod();
    expect(status.clusterStatus).to.equal('Running');
    expect(status.logicId).to.match(/^\d+$/);
    expect(status).to.include({ followerNum: 2, readyFollowers: 2, followers: '2/2' });
    expect(status.leaderInstanceHost).to.equal(rw.spec?.nodeName);
    expect(status.insClassInfo?.className).to.equal('polar.o.x1.small');
    expect(status.version).to.match(/^15\./);
    expect(status.operation).to.equal(undefined);
    const instances = Object.values(status.dbInstanceStatus ?? {});
    expect(instances).to.have.lengthOf(3);
    expect(instances.filter(it => it.insType === 'rw').map(it => it.insId)).to.deep.equal([status.leaderInstanceId]);
    expect(instances.map(expectedInstance)).to.deep.equal(instances.map(it => shownInstance(it, pods)));
  });

  it('has printer columns and a scale', async () => {
    const [head = '', line = ''] = (
      await scene.kubectl.run('get', 'mpdcluster', 'orders', '--namespace', scene.namespace)
    ).split('\n');
    expect(head.trim().split(/ {2,}/)).to.include.members(['NAME', 'STATUS', 'RW', 'AGE']);
    expect(line)
      .to.match(/^orders\s+Running\s/)
      .and.contain('2/2');
    const path = ['mpdcluster', 'orders', '--namespace', scene.namespace, '--subresource=scale', '--output', 'json'];
    const scale = JSON.parse(await scene.kubectl.run('get', ...path)) as {
      spec: { replicas: number };
      status: { replicas: number; selector: string };
    };
    expect(scale.spec.replicas).to.equal(2);
    expect(scale.status.replicas).to.equal(2);
    const chosen = await scene.client.list(RESOURCES.pods, {
      namespace: scene.namespace,
      labelSelector: scale.status.selector,
    });
    expect(chosen).to.have.lengthOf(2);
  });

  it('lets one RO be drained at a time', async () => {
    const ref = { namespace: scene.namespace, name: 'orders-ro' };
    await scene.eventually('the budget counts both ROs', async () => {
      const budget = await scene.client.get(RESOURCES.podDisruptionBudgets, ref);
      const { expectedPods, disruptionsAllowed } = budget?.status ?? {};
      return expectedPods === 2 && disruptionsAllowed === 1 ? budget : undefined;
    });
  });

  it('is unchanged by a second plain apply, of itself and of the installation', async () => {
    const before = await orders.get();
    expect(await scene.kubectl.apply(manifest)).to.deep.equal([]);
    expect(await applyInstallation(scene.kubectl)).to.deep.equal([]);
    const { metadata } = await orders.get();
    expect(metadata.generation).to.equal(before.metadata.generation);
  });

  it('mends what somebody else changes or deletes', async () => {
    const { namespace } = scene;
    const service = { namespace, name: 'orders-rw' };
    await scene.client.delete(RESOURCES.services, { namespace, name: 'orders-ro' });
    const broken = { name: 'postgresql', port: 5432, targetPort: 1 };
    await scene.client.patchMerge(RESOURCES.services, service, { spec: { ports: [broken] } });
    await scene.eventually('both Services are as they were', async () => {
      const [rw, ro] = await Promise.all(
        [service, { namespace, name: 'orders-ro' }].map(ref => scene.client.get(RESOURCES.services, ref)),
      );
      expect(rw?.spec?.ports?.map(it => it.targetPort)).to.deep.equal([5432]);
      return ro;
    });
    await orders.write('after the repair');
  });
});

/** What status shall say of an instance that runs on the pod network. */
function expectedInstance({ insId = '', physicalInsId = '', insType }: InstanceStatus): object {
  const podName = `orders-${physicalInsId}-${insId}`;
  return { insId, insName: insId, podName, insType, installed: true, ready: true, state: 'RUNNING' };
}

function shownInstance(instance: InstanceStatus, pods: readonly Pod[]): object {
  const { insId, insName, podName, insType, installed, ready, currentState } = instance;
  const pod = pods.find(it => it.metadata.name === podName);
  expect(instance).to.include({ podNameSpace: pod?.metadata.namespace, nodeName: pod?.spec?.nodeName });
  expect(instance.hostClientIP, 'address of the node').to.equal(pod?.status?.hostIP);
  expect(instance.netInfo).to.include({ netType: 'pod', workingPort: 5432, workingHostIP: pod?.status?.podIP });
  expect(currentState?.startAt).to.match(/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/);
  return { insId, insName, podName, insType, installed, ready, state: currentState?.state };
}

async function addressOf(database: Database, service: 'rw' | 'ro'): Promise<string> {
  const rows = await database.sql(service, sql => sql<{ at: string }>('SELECT host(inet_server_addr()) AS at'));
  return rows[0]?.at ?? '';
}

/** Message of a failure; empty when there was none. */
const messageOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => '',
    (error: unknown) => String(error),
  );
