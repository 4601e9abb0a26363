import type { Server } from 'node:https';
import { KINDS } from '../../../crds/definitions.ts';
import { SimulatedMember } from '../../../operator/failover/testing/simulated-member.ts';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { systemClock } from '../../../operator/kube/clock.ts';
import { RESOURCES, type CustomResourceDefinition } from '../../../operator/kube/resources.ts';
import { MPD_CLUSTERS } from '../../../operator/kinds/mpd.ts';
import { clusterLabels } from '../../../operator/model/labels.ts';
import { CLUSTER_MANAGER_TLS_SECRET, podName } from '../../../operator/model/names.ts';
import { createCa } from '../../../operator/pki/ca.ts';
import { issueLeaf } from '../../../operator/pki/leaf.ts';
import { tlsData } from '../../../operator/pki/secret.ts';
import { run } from '../../../scripts/kubernetes/run.ts';
import { eventually } from '../eventually.ts';
import { serveAgents, type AgentTls } from './agents.ts';

export const SYSTEM = 'polardb-system';
const NAMESPACE = 'fleet';
/** Addresses of the simulated pods: all of them are this machine's own. */
const NETWORK = '10.250';
const INSTANCES = 3;
/** How long a simulated engine takes to start, stop or be promoted, ms. */
const ENGINE_MS = 100;

interface FleetCluster {
  name: string;
  uid: string;
  members: SimulatedMember[];
}

/** Many clusters whose agents are simulated and whose objects are real: what a cluster manager has to look after. */
export class Fleet {
  readonly #client: KubeClient;
  readonly #clusters: FleetCluster[] = [];
  #server: Server | undefined;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** Makes what clusters need to be there. */
  async install(): Promise<void> {
    for (const crd of KINDS) {
      await this.#client.create(RESOURCES.customResourceDefinitions, crd as unknown as CustomResourceDefinition);
    }
    for (const name of [SYSTEM, NAMESPACE]) {
      await this.#client.create(RESOURCES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
    await eventually('a pod can be made', async () =>
      this.#client.get(RESOURCES.serviceAccounts, { namespace: NAMESPACE, name: 'default' }),
    );
    await eventually('the kinds are there', async () => this.#client.list(MPD_CLUSTERS, { namespace: NAMESPACE }));
  }

  /** Makes the objects and begins to serve their agents. */
  async start(size: number): Promise<void> {
    await run('ip', ['route', 'replace', 'local', `${NETWORK}.0.0/16`, 'dev', 'lo']);
    const names = Array.from({ length: size }, (_, n) => `fleet-${n}`);
    await this.#certificates(names);
    for (const [n, name] of names.entries()) this.#clusters.push(await this.#cluster(n, name));
  }

  /** Calls that the agents of a cluster took so far. */
  calls(n: number): number {
    return this.#clusters[n]!.members.reduce((sum, { calls }) => sum + calls.length, 0);
  }

  /** The member of a cluster that accepts writes. */
  writer(n: number): SimulatedMember | undefined {
    return this.#clusters[n]!.members.find(({ engine }) => engine.acceptsWrites);
  }

  /** Waits until each cluster has a writer and all its members run. */
  async settled(): Promise<void> {
    await eventually(
      'all clusters of the fleet run',
      () => {
        const lacking = this.#clusters.filter(({ members }) =>
          members.some(({ engine }) => engine.state !== 'running'),
        );
        if (lacking.length === 0 && this.#clusters.every((_, n) => this.writer(n))) return true;
        throw new Error(`not yet: ${lacking.length}, among them ${lacking[0]?.name ?? ''}`);
      },
      { deadlineMs: 300_000 },
    );
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    await run('ip', ['route', 'delete', 'local', `${NETWORK}.0.0/16`, 'dev', 'lo']);
  }

  async #certificates(clusters: readonly string[]): Promise<void> {
    const context = { now: new Date() };
    const ca = await createCa(context);
    const manager = await issueLeaf(ca, { subject: { part: 'cluster-manager', name: 'fleet' }, sans: [] }, context);
    await this.#client.create(RESOURCES.secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: CLUSTER_MANAGER_TLS_SECRET, namespace: SYSTEM },
      data: tlsData({ ...manager, bundle: ca.certificate }),
    });
    const tls: AgentTls[] = [];
    for (const cluster of clusters) {
      const sans = Array.from({ length: INSTANCES }, (_, i) => podOf(cluster, idOf(i)));
      const { certificate: cert, key } = await issueLeaf(
        ca,
        { subject: { part: 'agent', name: cluster }, sans },
        context,
      );
      tls.push({ names: sans, ca: ca.certificate, cert, key });
    }
    this.#server = await serveAgents(tls, address => {
      const [, , n, i] = address.split('.').map(Number);
      return this.#clusters[n!]!.members[i! - 1]!;
    });
  }

  async #cluster(n: number, name: string): Promise<FleetCluster> {
    const cluster: FleetCluster = { name, uid: '', members: [] };
    const { metadata } = await this.#client.create(MPD_CLUSTERS, {
      apiVersion: MPD_CLUSTERS.apiVersion,
      kind: MPD_CLUSTERS.kind,
      metadata: { name, namespace: NAMESPACE },
      spec: {
        dbType: 'postgresql',
        followerNum: INSTANCES - 1,
        classInfo: { className: 'polar.o.x1.small' },
        storage: { size: '1Gi' },
      },
    });
    cluster.uid = metadata.uid ?? '';
    for (let i = 0; i < INSTANCES; i++) cluster.members.push(await this.#member(cluster, n, i));
    const ids = Array.from({ length: INSTANCES }, (_, i) => idOf(i));
    const at = { name, namespace: NAMESPACE };
    await this.#client.patchStatus(MPD_CLUSTERS, at, {
      logicId: String(n + 1),
      conditions: [accepted()],
      dbInstanceStatus: Object.fromEntries(
        ids.map((id, i) => [
          id,
          { insId: id, physicalInsId: id, insType: i === 0 ? ('rw' as const) : ('ro' as const) },
        ]),
      ),
    });
    return cluster;
  }

  async #member(cluster: FleetCluster, n: number, i: number): Promise<SimulatedMember> {
    const id = idOf(i);
    const name = podOf(cluster.name, id);
    const { metadata } = await this.#client.create(RESOURCES.pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: NAMESPACE, labels: clusterLabels(cluster.name) },
      // Nobody schedules or runs it.
      spec: { nodeName: `nowhere-${i}`, containers: [{ name: 'engine', image: 'none' }] },
    });
    const now = new Date().toISOString();
    const podIP = `${NETWORK}.${n}.${i + 1}`;
    const engine = { name: 'engine', image: 'none', imageID: '', ready: true, restartCount: 0 };
    await this.#client.patchStatus(
      RESOURCES.pods,
      { name, namespace: NAMESPACE },
      {
        podIP,
        podIPs: [{ ip: podIP }],
        containerStatuses: [{ ...engine, containerID: `containerd://${name}`, state: { running: { startedAt: now } } }],
      },
    );
    const incarnation = { instanceId: id, podUid: metadata.uid ?? '', nonce: String(i).padStart(16, '0') };
    return new SimulatedMember(incarnation, {
      clock: systemClock,
      clusterUid: cluster.uid,
      engineMs: ENGINE_MS,
      at: address => cluster.members[Number(address.split('.')[3]) - 1],
    });
  }
}

const idOf = (i: number): string => String(1001 + i);
const podOf = (cluster: string, id: string): string => podName(cluster, id, id);
const accepted = () => ({
  type: 'Accepted',
  status: 'True' as const,
  reason: 'SpecAccepted',
  message: '',
  lastTransitionTime: new Date().toISOString(),
});
