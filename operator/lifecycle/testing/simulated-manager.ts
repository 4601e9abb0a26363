import type { InstanceStatus } from '../../../crds/mpdcluster.ts';
import { formatIncarnation, isSameIncarnation, type Incarnation } from '../../ha/incarnation.ts';
import { formatRecord, parseRecord, type LeaseObject } from '../../ha/lease.ts';
import {
  createRecord,
  grant,
  isFirstCreation,
  recordFence,
  revoke,
  type GroupRecord,
  type Transition,
} from '../../ha/record.ts';
import { isLeaving } from '../../kinds/pods.ts';
import type { KubeClient } from '../../kube/client.ts';
import { findCondition, setConditions } from '../../kube/conditions.ts';
import { hasFinalizer } from '../../kube/finalizers.ts';
import { RESOURCES, type EndpointSlice, type Pod } from '../../kube/resources.ts';
import { patchStatusIfChanged } from '../../kube/status.ts';
import { clusterLabels, INCARNATION_ANNOTATION, LABEL, ORIGINAL_LABEL, roleLabel } from '../../model/labels.ts';
import { CLUSTER_FINALIZER, recordName, rwService } from '../../model/names.ts';
import { MPD_CLUSTERS, type RawCluster } from '../../kinds/mpd.ts';
import { SimulatedHosts, type HostOptions } from './simulated-hosts.ts';
import { SimulatedMember } from './simulated-member.ts';

interface ManagerOptions {
  client: KubeClient;
  hosts: SimulatedHosts<SimulatedMember>;
  now: () => Date;
  ref: { namespace: string; name: string };
}

/** Hosts of one cluster, and who decides about its RW. */
export interface Surroundings {
  hosts: SimulatedHosts;
  manager: Manager;
  /** Whatever they do by themselves is done when nothing happened for so long, virtual ms. */
  quietMs: number;
}

export interface Manager {
  /** Nobody hears it, and it does nothing, while it is away. */
  isAway: boolean;
  /** Lets it move on by one bit. */
  step(): Promise<void>;
}

/** With the cluster manager of this file. */
export function simpleSurroundings(
  options: Omit<HostOptions<SimulatedMember>, 'newMember'> & Pick<ManagerOptions, 'ref'>,
): Surroundings {
  const hosts = new SimulatedHosts<SimulatedMember>({ ...options, newMember: parts => new SimulatedMember(parts) });
  return { hosts, manager: new SimulatedManager({ ...options, hosts }), quietMs: 3_000 };
}

interface View {
  cluster: RawCluster;
  pods: readonly Pod[];
  /** Containers that run, in pods that are not leaving. */
  members: readonly SimulatedMember[];
  lease?: LeaseObject;
  record?: GroupRecord;
  slice?: EndpointSlice;
  isWanted: boolean;
}

/** Why there is no RW, as condition WriterAvailable says it. */
type Wait = { reason: string; message: string };

/**
 * Test only: a cluster manager by the one rule that nobody is granted before the former holder is proven stopped, without
 * the protocol's haste and its defences. It shows what the real one shows: record, publication, roles, states, why it
 * waits. Each {@link step} does at most one thing to the record or a member.
 */
class SimulatedManager implements Manager {
  readonly #options: ManagerOptions;
  isAway = false;

  constructor(options: ManagerOptions) {
    this.#options = options;
  }

  async step(): Promise<void> {
    const view = this.isAway ? undefined : await this.#look();
    if (!view) return;
    const wait = await this.#act(view);
    await this.#label(view);
    await this.#tell(view, wait);
  }

  async #look(): Promise<View | undefined> {
    const { client, hosts, ref } = this.#options;
    const { namespace, name } = ref;
    const cluster = await client.get(MPD_CLUSTERS, ref);
    const lease = (await client.get(RESOURCES.leases, { namespace, name: recordName(name) })) as
      LeaseObject | undefined;
    if (!cluster || !isTaken(cluster, lease)) return undefined;
    const labelSelector = `${LABEL.cluster}=${name},${LABEL.component}=engine`;
    const pods = await client.list(RESOURCES.pods, { namespace, labelSelector });
    const slice = await client.get(RESOURCES.endpointSlices, { namespace, name: rwService(name) });
    const running = pods.filter(pod => !isLeaving(pod)).map(pod => hosts.memberIn(pod.metadata.uid));
    return {
      cluster,
      pods,
      members: running.filter(member => member !== undefined),
      ...(lease && { lease, record: parseRecord(lease) }),
      ...(slice && { slice }),
      isWanted: cluster.metadata.deletionTimestamp === undefined && cluster.spec.stopped !== true,
    };
  }

  /** @returns what the RW waits for */
  #act(view: View): Promise<Wait | undefined> {
    const { record, isWanted } = view;
    if (!record) return this.#begin(view);
    if (record.holder) return isWanted ? this.#keep(view, record.holder) : this.#stop(view, record);
    if (record.former && !record.fence) return this.#prove(view, record);
    return isWanted ? this.#grant(view, record) : this.#withdraw(view);
  }

  async #begin({ cluster, isWanted }: View): Promise<Wait | undefined> {
    if (!isWanted) return { reason: 'Stopped', message: 'nobody was ever RW' };
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: this.#meta(cluster, recordName) };
    const record = createRecord(cluster.metadata.uid ?? '');
    await this.#options.client.create(RESOURCES.leases, formatRecord(record, lease as unknown as LeaseObject));
    return { reason: 'NoWriter', message: 'the record was made' };
  }

  /** The holder reigns, is published, and is followed; one that has ended is revoked. */
  async #keep(view: View, holder: Incarnation): Promise<Wait | undefined> {
    const rw = view.members.find(it => isSameIncarnation(it.incarnation, holder));
    if (!rw) return this.#revoke(view, 'the RW has gone');
    if (rw.role !== 'rw') rw.reign();
    else await this.#publish(view, rw);
    for (const member of view.members) {
      if (member !== rw && member.role === 'stopped' && !member.isForeign) member.follow(rw);
    }
    return undefined;
  }

  async #stop(view: View, record: GroupRecord): Promise<Wait> {
    const rw = view.members.find(it => record.holder && isSameIncarnation(it.incarnation, record.holder));
    rw?.stop();
    return this.#revoke(view, 'the cluster is to be stopped');
  }

  async #revoke(view: View, message: string): Promise<Wait> {
    await this.#write(view, revoke(view.record!, this.#options.now().toISOString()));
    return { reason: 'FormerStopping', message };
  }

  async #prove(view: View, record: GroupRecord): Promise<Wait> {
    const incarnation = record.former!.incarnation;
    const member = view.members.find(it => isSameIncarnation(it.incarnation, incarnation));
    const isStopped = member?.role === 'stopped' || this.#options.hosts.hasEnded(incarnation);
    if (!isStopped) return { reason: 'FormerNotProven', message: `nothing proves ${incarnation.instanceId} stopped` };
    const at = this.#options.now().toISOString();
    await this.#write(view, recordFence(record, { incarnation, epoch: record.epoch, rung: 1, evidence: 'test', at }));
    return { reason: 'NoWriter', message: 'the former RW is proven stopped' };
  }

  async #grant(view: View, record: GroupRecord): Promise<Wait> {
    const isFirst = isFirstCreation(record);
    const first = Object.keys(view.cluster.status?.dbInstanceStatus ?? {})[0];
    const candidates = isFirst
      ? view.members.filter(it => it.incarnation.instanceId === first)
      : view.members.filter(it => it.data.clusterUid === record.clusterUid);
    const to = candidates.find(it => it.role === 'ro') ?? candidates[0];
    if (!to) return { reason: 'InstanceDown', message: 'no instance can become RW' };
    if (to.isForeign) return { reason: 'VolumeUnusable', message: `${first ?? ''} has data of another cluster` };
    if (isFirst && to.data.clusterUid === undefined) {
      to.initialize();
      return { reason: 'EngineWorking', message: 'initialize' };
    }
    await this.#write(view, grant(record, { to: to.incarnation, note: to.note, members: [], k: 0 }));
    return { reason: 'NoWriter', message: 'granted' };
  }

  async #publish({ cluster, pods, slice }: View, rw: SimulatedMember): Promise<void> {
    const incarnation = formatIncarnation(rw.incarnation);
    const pod = pods.find(({ metadata }) => metadata.uid === rw.incarnation.podUid);
    if (!pod?.status?.podIP || slice?.metadata.annotations?.[INCARNATION_ANNOTATION] === incarnation) return;
    const { name, namespace, uid } = pod.metadata;
    const targetRef = { kind: 'Pod', namespace, name, uid };
    await this.#apply(cluster, incarnation, [{ addresses: [pod.status.podIP], targetRef }]);
  }

  async #withdraw({ cluster, slice }: View): Promise<Wait> {
    if (slice?.metadata.annotations?.[INCARNATION_ANNOTATION] !== '') await this.#apply(cluster, '', []);
    return { reason: 'Stopped', message: 'the cluster is stopped' };
  }

  async #apply(cluster: RawCluster, incarnation: string, endpoints: EndpointSlice['endpoints']): Promise<void> {
    const metadata = this.#meta(cluster, rwService);
    await this.#options.client.apply(RESOURCES.endpointSlices, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, annotations: { [INCARNATION_ANNOTATION]: incarnation } },
      addressType: 'IPv4',
      endpoints,
    });
  }

  async #write({ lease }: View, transition: Transition): Promise<void> {
    if (!transition.ok) throw new Error(`${transition.reason}: ${transition.message}`);
    await this.#options.client.replace(RESOURCES.leases, formatRecord(transition.record, lease!));
  }

  async #label({ pods, record }: View): Promise<void> {
    const holder = record?.holder?.podUid;
    if (holder === undefined) return;
    for (const { metadata } of pods) {
      const wanted = roleLabel(metadata.uid === holder ? 'rw' : 'ro');
      if (metadata.labels?.[ORIGINAL_LABEL.role] === wanted) continue;
      const labels = { [ORIGINAL_LABEL.role]: wanted };
      await this.#options.client.patchMerge(RESOURCES.pods, metadata, { metadata: { labels } });
    }
  }

  async #tell({ cluster, record, members }: View, wait: Wait | undefined): Promise<void> {
    const { status = {} } = cluster;
    const holder = record?.holder?.instanceId;
    const instances = Object.entries(status.dbInstanceStatus ?? {}).map(([id, before]): [string, InstanceStatus] => {
      const insType = holder === undefined ? before.insType : holder === id ? 'rw' : 'ro';
      const member = members.find(it => it.incarnation.instanceId === id);
      const state = member?.isForeign ? 'FAILED' : member?.isReady ? 'RUNNING' : 'PENDING';
      const currentState = { state, reason: member?.isForeign ? 'its volume has data of another cluster' : '' };
      return [id, { ...before, insType, currentState }];
    });
    const available = wait
      ? { type: 'WriterAvailable', status: 'False' as const, ...wait }
      : { type: 'WriterAvailable', status: 'True' as const, reason: 'Published', message: `leads to ${holder ?? ''}` };
    await patchStatusIfChanged(this.#options.client, MPD_CLUSTERS, cluster, {
      ...status,
      ...(holder !== undefined && { leaderInstanceId: holder }),
      conditions: [...setConditions(status.conditions, [available], this.#options.now())],
      dbInstanceStatus: Object.fromEntries(instances),
    });
  }

  #meta({ metadata }: RawCluster, nameOf: (cluster: string) => string) {
    const { name, uid = '', namespace } = metadata;
    const owner = { apiVersion: 'mpd.polardb.aliyun.com/v1', kind: 'MPDCluster', name, uid, controller: true };
    return { namespace, name: nameOf(name), labels: clusterLabels(name), ownerReferences: [owner] };
  }
}

/** The operator has taken the cluster in and given it ids, or there is a record already. */
function isTaken(cluster: RawCluster, lease: LeaseObject | undefined): boolean {
  const { dbInstanceStatus, conditions } = cluster.status ?? {};
  const isAccepted = lease !== undefined || findCondition(conditions, 'Accepted') !== undefined;
  return dbInstanceStatus !== undefined && isAccepted && hasFinalizer(cluster, CLUSTER_FINALIZER);
}
