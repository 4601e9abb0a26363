import { Looks } from '../../../operator/failover/testing/looks.ts';
import type { Agents } from '../../../operator/failover/agents.ts';
import { Group } from '../../../operator/failover/group.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS, type RawCluster, type RawOperation } from '../../../operator/kinds/mpd.ts';
import { Operations } from '../../../operator/failover/operations.ts';
import { Reporter } from '../../../operator/failover/reporter.ts';
import { shownRecord, type GroupParts, type Sources } from '../../../operator/failover/sources.ts';
import { targetOf } from '../../../operator/failover/target.ts';
import { SwitchTracker } from '../../../operator/failover/tracker.ts';
import { isReason } from '../../../operator/kube/errors.ts';
import {
  RESOURCES,
  type ConfigMap,
  type EndpointSlice,
  type Lease,
  type Pod,
  type ResourceType,
} from '../../../operator/kube/resources.ts';
import { FakeClock } from '../../../operator/kube/testing/fake-clock.ts';
import { silentLogger } from '../../../operator/kube/testing/support.ts';
import type { KubeObject } from '../../../operator/kube/types.ts';
import { STEP_MS, type SurroundOptions } from '../../../operator/lifecycle/testing/memory-world.ts';
import { SimulatedHosts } from '../../../operator/lifecycle/testing/simulated-hosts.ts';
import type { Manager, Surroundings } from '../../../operator/lifecycle/testing/simulated-manager.ts';
import { LABEL } from '../../../operator/model/labels.ts';
import { recordName, runningParams, rwService, switchLog } from '../../../operator/model/names.ts';
import { ManagedMember } from './managed-member.ts';

/** Test only: hosts whose members speak with the real cluster manager, in virtual time. */
export function managedSurroundings(options: SurroundOptions): Surroundings {
  const clock = new FakeClock();
  const hosts: SimulatedHosts<ManagedMember> = new SimulatedHosts<ManagedMember>({
    ...options,
    newMember: parts =>
      new ManagedMember(parts, { clock, at: address => hosts.memberAt(address), all: () => hosts.members }),
  });
  // Longer than any time of the protocol that these worlds meet.
  return { hosts, manager: new ManagedCluster(options, clock, hosts), quietMs: 15_000 };
}

/** The loop that decides about one group, woken as in production. */
class ManagedCluster implements Manager {
  isAway = false;
  readonly #options: SurroundOptions;
  readonly #clock: FakeClock;
  readonly #group: Group;
  readonly #reporter: Reporter;
  readonly #looks: Looks;
  #seen = -1;

  constructor(options: SurroundOptions, clock: FakeClock, hosts: SimulatedHosts<ManagedMember>) {
    this.#options = options;
    this.#clock = clock;
    this.#looks = new Looks(clock, () => this.#group.run());
    const { client, ref } = options;
    const key = `${ref.namespace}/${ref.name}`;
    const event = (): void => undefined;
    this.#reporter = new Reporter(client, clock);
    const tracker = new SwitchTracker({ name: ref.name, event, ended: entry => this.#reporter.ended(entry) });
    const operations = new Operations({ client, clock, event, loss: () => tracker.loss });
    const sources: Sources = { node: () => undefined, group: () => this.#parts() };
    this.#group = new Group({
      key,
      client,
      agents: agentsOf(hosts),
      sources,
      clock,
      log: silentLogger,
      identity: 'cm',
      isLeading: () => !this.isAway,
      tracker,
      asked: record => {
        const { object, operations: seen } = this.#parts();
        return operations.asked(seen, { since: object?.metadata.creationTimestamp, record });
      },
      judged: (asked, decision) => operations.judged(asked, decision),
      wake: () => this.#wake(),
      told: () => undefined,
    });
    this.#group.lead();
  }

  async step(): Promise<void> {
    const { version } = this.#options.api;
    if (version !== this.#seen) {
      this.#seen = version;
      this.#group.seen();
      this.#wake();
    }
    await this.#clock.advance(STEP_MS);
    await this.#reporter.report(this.#group).catch(ignoreConflict);
  }

  #wake(): void {
    this.#looks.wake();
  }

  #parts(): GroupParts {
    const { api, ref } = this.#options;
    const { namespace, name } = ref;
    const find = <T extends KubeObject>(type: ResourceType<T>, wanted: string): T | undefined =>
      api.find(type, { namespace, name: wanted }) as T | undefined;
    const all = <T extends KubeObject>(type: ResourceType<T>): T[] =>
      [...api.snapshot()].flatMap(([id, object]) => (id.startsWith(`${type.plural}/`) ? [object as T] : []));
    const object: RawCluster | undefined = find(MPD_CLUSTERS, name);
    const lease: Lease | undefined = find(RESOURCES.leases, recordName(name));
    const params: ConfigMap | undefined = find(RESOURCES.configMaps, runningParams(name));
    const slice: EndpointSlice | undefined = find(RESOURCES.endpointSlices, rwService(name));
    return {
      object,
      target: object && targetOf(object, { operatorName: 'polar-mpd', hasRecord: lease !== undefined, params }),
      pods: all<Pod>(RESOURCES.pods).filter(({ metadata }) => metadata.labels?.[LABEL.cluster] === name),
      slice,
      switchLog: find(RESOURCES.configMaps, switchLog(name)),
      operations: all<RawOperation>(MPD_OPERATIONS),
      recordVersion: lease?.metadata.resourceVersion,
      record: lease && shownRecord(lease),
    };
  }
}

const agentsOf = (hosts: SimulatedHosts<ManagedMember>): Agents => ({
  open: ({ address }, events) => hosts.memberAt(address)?.connect(events),
  client: ({ address }) => {
    const found = hosts.memberAt(address);
    if (!found) throw new Error(`nobody at ${address}`);
    return found.client();
  },
});

/** Somebody wrote status meanwhile: told with the next step. */
function ignoreConflict(error: unknown): void {
  if (!isReason(error, 'Conflict')) throw error;
}
