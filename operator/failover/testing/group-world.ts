import type { MPDClusterStatus } from '../../../crds/mpdcluster.ts';
import { parseRecord, type LeaseObject } from '../../ha/lease.ts';
import type { GroupRecord } from '../../ha/record.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventNote } from '../../kube/events.ts';
import { KubeError } from '../../kube/errors.ts';
import { RESOURCES, type ConfigMap, type EndpointSlice, type Lease, type Pod } from '../../kube/resources.ts';
import { FakeClock, settle } from '../../kube/testing/fake-clock.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { silentLogger } from '../../kube/testing/support.ts';
import type { ResourceType } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import { Group } from '../group.ts';
import type { SwitchEntry } from '../history.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS, type RawCluster, type RawOperation } from '../../kinds/mpd.ts';
import { Operations } from '../operations.ts';
import { publishedIncarnation } from '../publication.ts';
import { Reporter } from '../reporter.ts';
import { shownRecord, type Sources } from '../sources.ts';
import { targetOf } from '../target.ts';
import { Looks } from './looks.ts';
import { SwitchTracker } from '../tracker.ts';
import { clusterOf, incarnationOf, podOf } from './samples.ts';
import { SimulatedMember, simulatedAgents } from './simulated-member.ts';

const AT = { namespace: 'shop' };
const CLUSTER = { ...AT, name: 'orders' };

/**
 * Test only: one group in virtual time, with an API server in memory, simulated members, and one cluster manager that
 * can lose and regain its leadership. Everything wakes it as in production.
 */
export class GroupWorld {
  readonly clock = new FakeClock();
  readonly api = new MemoryApi(() => this.clock.date());
  readonly events: EventNote[] = [];
  readonly switches: SwitchEntry[] = [];
  /** Writes of the API server, as `verb resource`. */
  readonly writes: string[] = [];
  /** While it is away every call fails. */
  isServerUp = true;
  isLeading = true;
  /** Writes of this resource are forbidden. */
  refused: string | undefined;
  /** How often the group had news to tell. */
  tellings = 0;
  members: readonly SimulatedMember[] = [];
  readonly group: Group;
  readonly #reporter: Reporter;
  readonly #looks = new Looks(this.clock, () => this.group.run());
  #seenVersion = -1;

  constructor(cluster: RawCluster = clusterOf()) {
    this.api.create(MPD_CLUSTERS, cluster);
    const client = this.#client();
    this.#reporter = new Reporter(client, this.clock);
    const sources = this.#sources();
    const event = (note: EventNote): void => void this.events.push(note);
    const tracker = new SwitchTracker({
      name: 'orders',
      event,
      ended: entry => {
        this.switches.push(entry);
        this.#reporter.ended(entry);
      },
    });
    const operations = new Operations({ client, clock: this.clock, event, loss: () => tracker.loss });
    this.group = new Group({
      key: 'shop/orders',
      client,
      agents: simulatedAgents(address => this.member(address)),
      sources,
      clock: this.clock,
      log: silentLogger,
      identity: 'cm-1',
      isLeading: () => this.isLeading,
      tracker,
      asked: record => {
        const since = this.cluster().metadata.creationTimestamp;
        return operations.asked(sources.group('shop/orders').operations, { since, record });
      },
      judged: (asked, decision) => operations.judged(asked, decision),
      wake: () => this.wake(),
      told: () => {
        this.tellings++;
      },
    });
    this.group.lead();
  }

  /** With its pods on their nodes, and run until all is quiet. */
  static async running(cluster?: RawCluster): Promise<GroupWorld> {
    const world = new GroupWorld(cluster);
    await world.begin();
    await world.run(5_000);
    return world;
  }

  async begin(): Promise<void> {
    const client = this.api.client();
    const { status = {} } = clusterOf();
    const { metadata } = await client.patchStatus(MPD_CLUSTERS, CLUSTER, status);
    const at = (address: string): SimulatedMember | undefined => this.member(address);
    const isShared = this.cluster().spec.dbClusterType === 'share';
    const around = {
      ...{ clock: this.clock, at, engineMs: 100, clusterUid: metadata.uid ?? '' },
      ...(isShared && { shared: { volume: { state: 'blank' } as const } }),
    };
    const members = Object.keys(status.dbInstanceStatus ?? {}).map(async id => {
      const pod = podOf(id);
      const made = await client.create(RESOURCES.pods, pod);
      await client.patchStatus(RESOURCES.pods, made.metadata, pod.status ?? {});
      return new SimulatedMember({ ...incarnationOf(id), podUid: made.metadata.uid ?? '' }, around);
    });
    this.members = await Promise.all(members);
    this.wake();
  }

  /** Lets virtual time go on. */
  async run(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    while (this.clock.now() < end) {
      this.#watch();
      await this.clock.advance(Math.min(10, end - this.clock.now()));
    }
    this.#watch();
    await settle();
  }

  /** Runs until it is so. @throws Error when it is not within `limitMs` of virtual time */
  async until(what: string, holds: () => boolean, limitMs: number): Promise<void> {
    const end = this.clock.now() + limitMs;
    while (!holds()) {
      if (this.clock.now() >= end) throw new Error(`not within ${limitMs} ms: ${what}`);
      await this.run(10);
    }
  }

  member(address: string): SimulatedMember | undefined {
    return this.members.find(it => `10.0.0.${it.incarnation.instanceId.slice(-1)}` === address);
  }

  wake(): void {
    this.#looks.wake();
  }

  lose(): void {
    this.isLeading = false;
    this.group.standBy();
  }

  regain(): void {
    this.isLeading = true;
    this.group.lead();
    this.wake();
  }

  async tell(): Promise<void> {
    await this.#reporter.report(this.group);
    this.#watch();
  }

  cluster(): RawCluster {
    return this.api.find(MPD_CLUSTERS, CLUSTER) as RawCluster;
  }

  status(): MPDClusterStatus {
    return this.cluster().status ?? {};
  }

  record(): GroupRecord {
    const lease = this.api.find(RESOURCES.leases, { ...AT, name: 'orders-primary' });
    return parseRecord(lease as unknown as LeaseObject);
  }

  /** Instance id that the RW endpoint leads to. */
  published(): string | undefined {
    const slice = this.api.find(RESOURCES.endpointSlices, { ...AT, name: 'orders-rw' }) as EndpointSlice | undefined;
    return publishedIncarnation(slice)?.instanceId;
  }

  #client(): KubeClient {
    return this.api.client({
      before: ({ verb, resource }) => {
        if (!this.isServerUp) throw new KubeError({ status: 0, reason: 'Network', message: 'away' });
        if (verb === 'get' || verb === 'list') return;
        this.writes.push(`${verb} ${resource}`);
        if (resource === this.refused)
          throw new KubeError({ status: 403, reason: 'Forbidden', message: 'not allowed' });
      },
    });
  }

  /** The watches show each change after a moment. */
  #watch(): void {
    if (this.#seenVersion === this.api.version || !this.isServerUp) return;
    this.#seenVersion = this.api.version;
    this.group.seen();
    this.wake();
  }

  #sources(): Sources {
    const all = <T extends KubeObject>(type: ResourceType<T>): T[] =>
      [...this.api.snapshot()].flatMap(([id, object]) => (id.startsWith(`${type.plural}/`) ? [object as T] : []));
    const named = <T extends KubeObject>(type: ResourceType<T>, name: string): T | undefined =>
      this.api.find(type, { ...AT, name }) as T | undefined;
    return {
      node: () => undefined,
      group: () => {
        const object = this.cluster();
        const lease: Lease | undefined = named(RESOURCES.leases, 'orders-primary');
        return {
          object,
          target: targetOf(object, { operatorName: 'polar-mpd', hasRecord: lease !== undefined, params: undefined }),
          pods: all<Pod>(RESOURCES.pods),
          slice: named(RESOURCES.endpointSlices, 'orders-rw'),
          switchLog: named<ConfigMap>(RESOURCES.configMaps, 'orders-switch-log'),
          operations: all<RawOperation>(MPD_OPERATIONS),
          recordVersion: lease?.metadata.resourceVersion,
          record: lease && shownRecord(lease),
        };
      },
    };
  }
}
