import { expect } from 'chai';
import { X509Certificate } from 'node:crypto';
import { KubeClient } from '../../operator/kube/client.ts';
import { findCredentials } from '../../operator/kube/credentials.ts';
import { resource, RESOURCES, type ConfigMap, type DaemonSet, type Pod } from '../../operator/kube/resources.ts';
import { silentLogger } from '../../operator/kube/testing/support.ts';
import type { KubeObject } from '../../operator/kube/types.ts';
import { MPD_CLUSTERS } from '../../operator/kinds/mpd.ts';
import { EXCLUDED_HOSTS } from '../../operator/lifecycle/builders/affinity.ts';
import { LifecycleOperator } from '../../operator/lifecycle/operator.ts';
import { nodeOf, portMap, versionMap, type ToldHost } from '../../operator/lifecycle/testing/hosts.ts';
import { DAEMON_SUBJECT, HOST_STALE_MS } from '../../operator/model/host.ts';
import { clusterLabels } from '../../operator/model/labels.ts';
import { API_GROUP, API_VERSION } from '../../operator/model/names.ts';
import { controlPlane } from '../support/control-plane.ts';
import { eventually, throughout } from '../support/eventually.ts';
import { installKinds } from '../support/kinds.ts';
import { settingsMaps } from '../support/settings-maps.ts';

/** Everything of this test lives in one namespace; its nodes have names of their own, and no kubelet. */
const namespace = `hosts-${process.pid}`;
const NODES = ['a', 'b'].map(name => `${namespace}-${name}`) as [string, string];
const ref = { namespace, name: 'orders' };
const BINDINGS = resource<KubeObject & { target: object }>('v1', 'Binding', 'bindings');

describe('facts of hosts, real API server', function () {
  this.timeout(60_000);
  let client: KubeClient;
  let operator: LifecycleOperator;
  let operators: KubeClient;

  before(async function () {
    this.timeout(900_000);
    const plane = await controlPlane();
    const credentials = findCredentials({ kubeconfig: plane.kubeconfig });
    client = new KubeClient({ credentials, fieldManager: 'test' });
    await installKinds(plane, client);
    await client.create(RESOURCES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const maps = await settingsMaps({ systemNamespace: namespace, settingsNamespace: namespace });
    for (const map of maps) await client.create(RESOURCES.configMaps, map);
    for (const name of NODES) await makeNode(name);
    await client.create(RESOURCES.daemonSets, daemonSet());
    operators = new KubeClient({ credentials, fieldManager: 'polardb-stack-operator' });
    operator = operatorOf(operators);
    await operator.start();
  });

  after(async () => {
    await operator.drain();
    for (const type of [RESOURCES.pods, MPD_CLUSTERS] as (typeof RESOURCES.pods)[]) {
      for (const { metadata } of await client.list(type, { namespace })) {
        await client.patchMerge(type, metadata, { metadata: { finalizers: null } }).catch(() => undefined);
        await client.delete(type, metadata, { graceSeconds: 0 });
      }
    }
    for (const name of NODES) await client.delete(RESOURCES.nodes, { name });
    await client.delete(RESOURCES.namespaces, { name: namespace });
    await client.close();
  });

  it('hold a new cluster back while something is known against every host', async () => {
    await tell(NODES[0], { isCutOff: true });
    await tell(NODES[1], { isCutOff: false });
    await publish(portMap(NODES[1], [5400], namespace));
    await createCluster(ref.name, 5400);
    await eventually('it says what is known against both', async () => {
      const said = await condition('Ready');
      expect(said).to.match(/^False NoUsableHost: no host may take pod orders-/);
      expect(said).to.contain(`${NODES[0]}: clients cannot reach it (bond1 StateDown)`);
      expect(said).to.contain(`${NODES[1]}: port 5400 is in use there`);
      return true;
    });
    expect(await pods()).to.deep.equal([]);
  });

  it('let it go on when one is well, and keep it from the others', async () => {
    await publish(portMap(NODES[1], [22], namespace));
    const made = await eventually('its pods are made', async () => {
      const found = await pods();
      return found.length === 2 ? found : undefined;
    });
    for (const pod of made) {
      expect(pod.metadata.annotations?.[EXCLUDED_HOSTS]).to.equal(NODES[0]);
      const { requiredDuringSchedulingIgnoredDuringExecution: required } = pod.spec!.affinity!.nodeAffinity!;
      expect(required?.nodeSelectorTerms[0]?.matchFields).to.deep.equal([
        { key: 'metadata.name', operator: 'NotIn', values: [NODES[0]] },
      ]);
    }
  });

  it('make pods anew that no node has taken, when the other host is well again', async () => {
    const before = new Set((await pods()).map(({ metadata }) => metadata.uid));
    await tell(NODES[0], { isCutOff: false });
    await eventually('both pods are new', async () => {
      const found = await pods();
      expect(found).to.have.length(2);
      for (const { metadata } of found) {
        expect(before.has(metadata.uid)).to.equal(false);
        expect(metadata.annotations?.[EXCLUDED_HOSTS]).to.equal(undefined);
      }
      return true;
    });
  });

  it('tell whether the images of its version are there, as soon as that changes', async () => {
    expect(await condition('ImagesAvailable')).to.equal('none');
    await publish(versionMap(NODES[0], [], namespace));
    await eventually('they have to be pulled', async () => {
      expect(await condition('ImagesAvailable')).to.match(/^False ImagesToBePulled/);
      return true;
    });
    await publish(versionMap(NODES[0], ['postgresql-15'], namespace));
    await eventually('they are there', async () => {
      expect(await condition('ImagesAvailable')).to.match(/^True ImagesPresent/);
      return true;
    });
  });

  it('give the address for clients to status and to the certificate', async () => {
    const [pod] = (await pods()) as [Pod];
    const { name } = pod.metadata;
    const target = { apiVersion: 'v1', kind: 'Node', name: NODES[0] };
    await client.create(BINDINGS, { apiVersion: 'v1', kind: 'Binding', metadata: { namespace, name }, target });
    await client.patchStatus(RESOURCES.pods, pod.metadata, { hostIP: '10.0.0.7', hostIPs: [{ ip: '10.0.0.7' }] });
    await tell(NODES[0], { isCutOff: false, clientIp: '192.0.2.7' });
    const id = name.split('-').at(-1)!;
    await eventually('both have it', async () => {
      const instance = (await client.get(MPD_CLUSTERS, ref))?.status?.dbInstanceStatus?.[id];
      expect([instance?.nodeName, instance?.hostClientIP]).to.deep.equal([NODES[0], '192.0.2.7']);
      const secret = await client.get(RESOURCES.secrets, { namespace, name: `orders-${id}-tls` });
      const { subjectAltName } = new X509Certificate(Buffer.from(secret?.data?.['tls.crt'] ?? '', 'base64'));
      for (const address of ['10.0.0.7', '192.0.2.7']) expect(subjectAltName).to.contain(`IP Address:${address}`);
      return true;
    });
  });

  it('cost the operator no call while nothing but heartbeats and ports come', async () => {
    await quiet();
    const calls = operators.callsSent;
    for (let beat = 0; beat < 10; beat++) {
      await tell(NODES[0], { isCutOff: false, clientIp: '192.0.2.7' });
      await tell(NODES[1], { isCutOff: false });
      await publish(portMap(NODES[0], [22, 8000 + beat], namespace));
    }
    await throughout(1_000, () => {
      expect(operators.callsSent).to.equal(calls);
      return Promise.resolve();
    });
  });

  it('stay while the DaemonSet is replaced', async () => {
    for (const name of NODES) await tell(name, { isCutOff: true });
    await createCluster('second', 5401);
    const waits = async (): Promise<true> => {
      expect(await condition('Ready', 'second')).to.match(/^False NoUsableHost: .*clients cannot reach it/);
      expect(await pods('second')).to.deep.equal([]);
      return true;
    };
    await eventually('it waits', waits);
    await client.delete(RESOURCES.daemonSets, daemonSet().metadata);
    // A cluster that waits looks again every 5 s.
    await throughout(6_000, waits);
    await client.create(RESOURCES.daemonSets, daemonSet());
    await throughout(1_000, waits);
  });

  it('count for nothing once there are no daemons any more', async () => {
    await client.delete(RESOURCES.daemonSets, daemonSet().metadata);
    for (const name of NODES) await tell(name, { isCutOff: true, heard: new Date(Date.now() - HOST_STALE_MS - 1_000) });
    await eventually('its pods are made', async () => ((await pods('second')).length === 2 ? true : undefined));
  });

  const createCluster = (name: string, engineStartPort: number) =>
    client.create(MPD_CLUSTERS, {
      apiVersion: `${API_GROUP}/${API_VERSION}`,
      kind: 'MPDCluster',
      metadata: { namespace, name },
      spec: {
        dbType: 'postgresql',
        dbClusterType: 'local',
        followerNum: 1,
        classInfo: { className: 'polar.o.x1.small' },
        storage: { size: '1Gi' },
        netCfg: { engineStartPort },
      },
    });

  /** That it is there matters, not its pods. */
  function daemonSet(): DaemonSet {
    const labels = { app: 'daemon' };
    const spec = { nodeSelector: { nowhere: '' }, containers: [{ name: 'daemon', image: 'none' }] };
    return {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { namespace, name: DAEMON_SUBJECT.name },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    };
  }

  function operatorOf(of: KubeClient): LifecycleOperator {
    return new LifecycleOperator({
      client: of,
      log: silentLogger,
      flowEvents: () => undefined,
      operatorName: 'polar-mpd',
      systemNamespace: namespace,
      settingsNamespace: namespace,
      watchNamespaces: [namespace],
      podName: 'operator',
      stackImage: 'polardb-stack:test',
      pullPolicy: 'IfNotPresent',
      workers: 2,
    });
  }

  async function makeNode(name: string): Promise<void> {
    await client.create(RESOURCES.nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name } });
    // The API server taints every new node until a kubelet says that it is ready.
    await client.patchMerge(RESOURCES.nodes, { name }, { spec: { taints: null } });
  }

  async function tell(name: string, told: ToldHost): Promise<void> {
    await client.patchStatus(RESOURCES.nodes, { name }, nodeOf(name, { heard: new Date(), ...told }).status!);
  }

  /** A whole new content, as the daemon writes it. */
  async function publish(map: ConfigMap): Promise<void> {
    const found = await client.get(RESOURCES.configMaps, map.metadata);
    await (found ? client.replace(RESOURCES.configMaps, map) : client.create(RESOURCES.configMaps, map));
  }

  const pods = (cluster = ref.name): Promise<Pod[]> =>
    client.list(RESOURCES.pods, {
      namespace,
      labelSelector: Object.entries(clusterLabels(cluster))
        .map(pair => pair.join('='))
        .join(','),
    });

  async function condition(type: string, name = ref.name): Promise<string> {
    const found = (await client.get(MPD_CLUSTERS, { namespace, name }))?.status?.conditions?.find(
      it => it.type === type,
    );
    return found ? `${found.status} ${found.reason}: ${found.message}` : 'none';
  }

  /** Until the operator has made no call for two seconds. */
  async function quiet(): Promise<void> {
    let [calls, since] = [-1, 0];
    await eventually('the operator has nothing to do', () => {
      if (operators.callsSent !== calls) [calls, since] = [operators.callsSent, performance.now()];
      return performance.now() - since > 2_000 ? true : undefined;
    });
  }
});
