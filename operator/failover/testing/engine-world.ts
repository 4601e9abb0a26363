import { setTimeout as sleep } from 'node:timers/promises';
import { hashSettings } from '../../agent-api/hash.ts';
import { REPLICATOR_PASSWORD, CLUSTER, Site, type Pod as AgentPod } from '../../agent/testing/pod.ts';
import { SETTINGS } from '../../agent/testing/cluster.ts';
import { formatIncarnation } from '../../ha/incarnation.ts';
import { parseRecord, type LeaseObject } from '../../ha/lease.ts';
import { commandStamp, type GroupRecord } from '../../ha/record.ts';
import { systemClock } from '../../kube/clock.ts';
import type { EventNote } from '../../kube/events.ts';
import { RESOURCES, type EndpointSlice, type Lease, type Pod } from '../../kube/resources.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { silentLogger } from '../../kube/testing/support.ts';
import type { Logger } from '../../kube/types.ts';
import { issueLeaf } from '../../pki/leaf.ts';
import { TlsAgents, type Agents } from '../agents.ts';
import { Group } from '../group.ts';
import type { SwitchEntry } from '../history.ts';
import type { RawCluster } from '../../kinds/mpd.ts';
import { Looks } from './looks.ts';
import { publishedIncarnation } from '../publication.ts';
import { shownRecord, type GroupParts } from '../sources.ts';
import { targetOf } from '../target.ts';
import { SwitchTracker } from '../tracker.ts';
import { clusterOf, podOf } from './samples.ts';

const AT = { namespace: CLUSTER.namespace };
export const APP_PASSWORD = 'app-secret-1';
const IDS = ['1001', '1002', '1003'];

/**
 * Test only: one group of real agents with real PostgreSQL, each in a PID namespace of its own, and the loop of the
 * cluster manager over them. Only the API server is one in memory; agents read the record from where it is mirrored to.
 */
export class EngineWorld {
  readonly api = new MemoryApi(() => new Date());
  readonly events: EventNote[] = [];
  readonly switches: SwitchEntry[] = [];
  readonly pods: readonly AgentPod[];
  readonly site: Site;
  readonly group: Group;
  cluster: RawCluster;
  readonly #tls: TlsAgents;
  readonly #stop = new AbortController();
  readonly #looks = new Looks(systemClock, async () => {
    const pause = await this.group.run();
    this.site.api.record = this.record;
    return pause;
  });
  #isLeading = true;

  private constructor(site: Site, pods: readonly AgentPod[], tls: TlsAgents) {
    this.site = site;
    this.pods = pods;
    this.#tls = tls;
    this.cluster = this.#cluster();
    const client = this.api.client();
    const log: Logger = process.env.CM_LOG ? console : silentLogger;
    this.group = new Group({
      key: `${CLUSTER.namespace}/${CLUSTER.name}`,
      client,
      agents: this.#agents(),
      sources: { node: () => undefined, group: () => this.#parts() },
      clock: systemClock,
      log,
      identity: `cm-${process.pid}`,
      isLeading: () => this.#isLeading,
      tracker: new SwitchTracker({
        name: CLUSTER.name,
        event: note => this.events.push(note),
        ended: entry => this.switches.push(entry),
      }),
      asked: () => undefined,
      judged: () => Promise.resolve(false),
      wake: () => this.wake(),
      told: () => undefined,
    });
    this.group.lead();
    void this.#follow();
  }

  /** With its agents up and nothing made yet. */
  static async open(): Promise<EngineWorld> {
    const site = await Site.open();
    const pods = await Promise.all(IDS.map(id => site.pod(id)));
    await Promise.all(pods.map(pod => pod.start()));
    const subject = { part: 'cluster-manager', name: 'test' } as const;
    const leaf = await issueLeaf(site.ca, { subject, sans: [] }, { now: new Date() });
    const tls = new TlsAgents();
    tls.use({ ca: site.ca.certificate, cert: leaf.certificate, key: leaf.key });
    return new EngineWorld(site, pods, tls);
  }

  async close(): Promise<void> {
    this.#isLeading = false;
    this.#stop.abort();
    this.#looks.cancel();
    this.group.close();
    this.#tls.close();
    await this.site.close();
  }

  get record(): GroupRecord | undefined {
    const lease = this.api.find(RESOURCES.leases, { ...AT, name: `${CLUSTER.name}-primary` });
    return lease && parseRecord(lease as unknown as LeaseObject);
  }

  /** Instance id that the RW endpoint leads to. */
  get published(): string | undefined {
    return publishedIncarnation(this.#slice())?.instanceId;
  }

  pod(id: string | undefined): AgentPod {
    const found = this.pods.find(it => it.config.instanceId === id);
    if (!found) throw new Error(`no instance ${id ?? ''}`);
    return found;
  }

  /** Accounts, which the operator makes once there is an RW. */
  async makeAccounts(): Promise<void> {
    await this.#account('replicator', REPLICATOR_PASSWORD, 15);
    await this.#account('app', APP_PASSWORD, 7);
  }

  async #account(name: string, password: string, level: 7 | 15): Promise<void> {
    const { record } = this;
    if (!record?.holder) throw new Error('there is no RW');
    const incarnation = formatIncarnation(record.holder);
    const command = { requestId: `account ${name} ${incarnation}`, incarnation, ...commandStamp(record) };
    await this.pod(record.holder.instanceId).client.account({ command, name, password, level });
  }

  /** Sets what is wanted of the cluster. */
  want(spec: Partial<RawCluster['spec']>): void {
    this.cluster = { ...this.cluster, spec: { ...this.cluster.spec, ...spec } };
    this.group.seen();
    this.wake();
  }

  wake(): void {
    this.#looks.wake();
  }

  /** Watches show a change a moment later; agents read the record where it lies. */
  async #follow(): Promise<void> {
    let version = -1;
    while (!this.#stop.signal.aborted) {
      if (version !== this.api.version) {
        version = this.api.version;
        this.site.api.record = this.record;
        this.group.seen();
        this.wake();
      }
      await sleep(5);
    }
  }

  #cluster(): RawCluster {
    const sample = clusterOf({}, { ...AT, name: CLUSTER.name, uid: CLUSTER.uid });
    const instances = this.pods.map(({ config: { instanceId: id, ports } }, i) => {
      const netInfo = { workingPort: ports.engine, agentPort: ports.agent, healthPort: ports.health };
      return [id, { insType: i === 0 ? 'rw' : 'ro', physicalInsId: id, netInfo }];
    });
    const dbInstanceStatus = Object.fromEntries(instances) as NonNullable<RawCluster['status']>['dbInstanceStatus'];
    return { ...sample, status: { ...sample.status, dbInstanceStatus } };
  }

  #slice(): EndpointSlice | undefined {
    return this.api.find(RESOURCES.endpointSlices, { ...AT, name: `${CLUSTER.name}-rw` }) as EndpointSlice | undefined;
  }

  #parts(): GroupParts {
    const lease = this.api.find(RESOURCES.leases, { ...AT, name: `${CLUSTER.name}-primary` });
    const recordVersion = lease?.metadata.resourceVersion;
    const asked = { operatorName: 'polar-mpd', hasRecord: recordVersion !== undefined, params: undefined };
    const target = targetOf(this.cluster, asked);
    const tuned = target && { ...target, settings: SETTINGS, settingsHash: hashSettings(SETTINGS) };
    return {
      target: tuned,
      object: this.cluster,
      pods: this.pods.map(pod => this.#pod(pod)),
      slice: this.#slice(),
      switchLog: undefined,
      operations: [],
      recordVersion,
      record: lease && shownRecord(lease as unknown as Lease),
    };
  }

  #pod({ uid, config: { instanceId } }: AgentPod): Pod {
    const sample = podOf(instanceId, { podIP: '127.0.0.1' });
    return { ...sample, metadata: { ...sample.metadata, ...AT, uid } };
  }

  /** Their certificates carry shorter names than pods have. */
  #agents(): Agents {
    const named = <E extends { port: number; serverName: string }>(endpoint: E): E => {
      const id = this.pods.find(it => it.config.ports.agent === endpoint.port)?.config.instanceId;
      return { ...endpoint, serverName: `orders-${id ?? ''}` };
    };
    return {
      open: (endpoint, events) => this.#tls.open(named(endpoint), events),
      client: endpoint => this.#tls.client(named(endpoint)),
    };
  }
}
