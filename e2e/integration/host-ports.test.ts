import { expect } from 'chai';
import { KubeClient } from '../../operator/kube/client.ts';
import { findCredentials } from '../../operator/kube/credentials.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import { MPD_CLUSTERS } from '../../operator/kinds/mpd.ts';
import { releaseHostPorts, takeHostPorts, type PortOwner, type PortSite } from '../../operator/lifecycle/host-ports.ts';
import { LABEL } from '../../operator/model/labels.ts';
import { API_GROUP, API_VERSION } from '../../operator/model/names.ts';
import type { InstancePorts } from '../../operator/model/ports.ts';
import { controlPlane } from '../support/control-plane.ts';
import { installKinds } from '../support/kinds.ts';

const namespace = `host-ports-${process.pid}`;
const CLUSTERS = 200;
/** Operators during a handover, and calls that each has under way at a time. */
const OPERATORS = 2;
const site: PortSite = {
  systemNamespace: namespace,
  external: { first: 36_000, last: 39_999 },
  reserved: [],
  isUsed: port => port % 2 === 1,
};

describe(`ports of ${CLUSTERS} clusters that are made in the same second, real API server`, function () {
  this.timeout(120_000);
  const clients: KubeClient[] = [];
  let owners: PortOwner[];

  before(async function () {
    this.timeout(900_000);
    const plane = await controlPlane();
    const credentials = findCredentials({ kubeconfig: plane.kubeconfig });
    for (let i = 0; i < OPERATORS; i++) {
      clients.push(new KubeClient({ credentials, fieldManager: 'polardb-stack-operator' }));
    }
    const [client] = clients as [KubeClient];
    await installKinds(plane, client);
    await client.create(RESOURCES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    owners = await Promise.all(Array.from({ length: CLUSTERS }, (_, i) => makeCluster(client, i)));
  });

  after(async () => {
    const [client] = clients as [KubeClient];
    await client.delete(RESOURCES.namespaces, { name: namespace });
    await Promise.all(clients.map(it => it.close()));
  });

  it('are distinct, in use nowhere, the same when asked for again, and all given back', async () => {
    const take = (client: KubeClient): Promise<InstancePorts[]> =>
      Promise.all(owners.map((owner, i) => takeHostPorts(client, owner, 5400 + i, site)));
    // One after the other asks for the same clusters, as in a handover: what one took the other finds.
    const [first, second] = [await take(clients[0]!), await take(clients[1]!)];
    expect(second).to.deep.equal(first);
    const ports = first.flatMap(({ engine, agent, health }) => [engine, agent, health]);
    expect(new Set(ports).size).to.equal(3 * CLUSTERS);
    expect(first.flatMap(({ agent, health }) => [agent, health]).filter(site.isUsed)).to.deep.equal([]);
    expect(await reserved()).to.equal(3 * CLUSTERS);
    await Promise.all(owners.map(owner => releaseHostPorts(clients[0]!, owner, namespace)));
    expect(await reserved()).to.equal(0);
  });

  const reserved = async (): Promise<number> =>
    (await clients[0]!.list(RESOURCES.configMaps, { namespace, labelSelector: `${LABEL.component}=port` })).length;
});

async function makeCluster(client: KubeClient, i: number): Promise<PortOwner> {
  const { metadata } = await client.create(MPD_CLUSTERS, {
    apiVersion: `${API_GROUP}/${API_VERSION}`,
    kind: 'MPDCluster',
    metadata: { namespace, name: `c${i}` },
    spec: {
      dbType: 'postgresql',
      dbClusterType: 'local',
      classInfo: { className: 'small' },
      storage: { size: '1Gi' },
      netCfg: { engineStartPort: 5400 + i },
    },
  });
  return { namespace, name: metadata.name, uid: metadata.uid ?? '' };
}
