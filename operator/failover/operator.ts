import type { Registry } from 'prom-client';
import { ApiListener } from '../http-api/listener.ts';
import { systemClock } from '../kube/clock.ts';
import { withMeta, type Controller } from '../kube/controller.ts';
import { EventRecorder, type EventNote } from '../kube/events.ts';
import type { Cache } from '../kube/informer.ts';
import { StackOperator, type StackOperatorOptions } from '../kube/operator.ts';
import { keyOf, refOf, type KubeObject } from '../kube/types.ts';
import { readTlsData } from '../pki/secret.ts';
import { RESOURCES, type Node, type Secret } from '../kube/resources.ts';
import { TlsAgents } from './agents.ts';
import { apiServer } from './api/server.ts';
import type { ManagerPlace } from './api/topology.ts';
import { writerOf } from './conditions.ts';
import { Group } from './group.ts';
import { FailoverMetrics } from './metrics.ts';
import { Operations } from './operations.ts';
import { Reporter } from './reporter.ts';
import { cachedSources, type Sources } from './sources.ts';
import { SwitchTracker } from './tracker.ts';
import { clusterKeyOf, targetKeyOf, watchAll, type Caches } from './watches.ts';

export interface ClusterManagerOptions extends StackOperatorOptions {
  /** One start of this process. */
  identity: string;
  operatorName: string;
  /** Who writes Events. */
  podName: string;
  systemNamespace: string;
  /** Namespaces with clusters; absent: all. */
  watchNamespaces?: readonly string[] | undefined;
  /** Port of its HTTPS API, and the release that it tells; absent: none. */
  api?: { port: number; version: string };
  /** Where the figures of this part go. */
  registry?: Registry;
}

/** No group waits for another: there are as many workers as groups. */
const WORKERS = 10_000;
/** Writers of status at the same time. */
const REPORTERS = 8;
/** A state that lasts no longer than this is not told: a restart in place is two writes of status otherwise, ms. */
const SETTLED_MS = 150;

interface Watched {
  group: Group;
  reporter: Reporter;
}

/** The part `cluster-manager`: decides who is RW of each group, and makes it so. The standby hears all agents too. */
export class ClusterManager extends StackOperator {
  readonly #options: ClusterManagerOptions;
  readonly #agents = new TlsAgents();
  readonly #groups = new Map<string, Watched>();
  readonly #events: EventRecorder;
  readonly #api: ApiListener | undefined;
  #metrics: FailoverMetrics | undefined;
  #decisions: Controller | undefined;

  constructor(options: ClusterManagerOptions) {
    super(options);
    this.#options = options;
    this.#events = new EventRecorder({
      client: this.client,
      log: this.log,
      component: 'polardb-stack-cluster-manager',
      instance: options.podName,
    });
    const { log } = this;
    // Every replica answers: not the client that only a leader may write with.
    const { client } = options;
    const managers = (): Promise<ManagerPlace[]> => this.#managers();
    const { api } = options;
    const tools = api && { client, log, managers, version: api.version, now: (): Date => new Date() };
    this.#api =
      tools && new ApiListener({ port: api.port, clock: systemClock, log, make: tls => apiServer({ ...tools, tls }) });
  }

  /** What this process lacks to do its work; undefined when nothing. */
  get lack(): string | undefined {
    const late = this.watchStats.filter(watch => !watch.isSynced).map(watch => watch.kind);
    if (late.length > 0) return `first lists not there yet: ${late.join(', ')}`;
    return this.#agents.hasCertificate ? undefined : 'the operator has not issued the certificate yet';
  }

  protected override init(): Promise<void> {
    const { operatorName, systemNamespace: system, watchNamespaces: namespaces, registry } = this.#options;
    const caches = watchAll((type, request) => this.watch(type, request), { system, namespaces });
    const sources = cachedSources(caches, operatorName);
    if (registry) this.#metrics = new FailoverMetrics(registry, () => this.#figures());
    const reports = this.controller({ name: 'group-status', workers: REPORTERS, reconcile: key => this.#report(key) });
    const decisions = this.controller({
      name: 'group',
      workers: WORKERS,
      reconcile: async key => {
        const pause = await this.#groups.get(key)?.group.run();
        return pause === undefined ? undefined : { requeueAfterMs: pause };
      },
    });
    this.#decisions = decisions;
    const make = (key: string): Watched => this.#make(key, sources, { decisions, reports });
    this.#follow(caches, decisions, make);
    return Promise.resolve();
  }

  /** All groups are looked at: what was under way in a former leadership of this process was called off and forgotten. */
  protected override onLeading(): void {
    for (const [key, { group }] of this.#groups) {
      group.lead();
      this.#decisions?.enqueue(key);
    }
  }

  protected override onStandby(): void {
    for (const { group } of this.#groups.values()) group.standBy();
  }

  override async drain(): Promise<boolean> {
    const ended = await super.drain();
    for (const { group } of this.#groups.values()) group.close();
    this.#agents.close();
    await this.#api?.close();
    return ended;
  }

  #follow(caches: Caches, decisions: Controller, make: (key: string) => Watched): void {
    const see = (key: string): void => {
      this.#see(caches, key, make);
      decisions.enqueue(key);
    };
    caches.certificate.onChange(({ object }) => this.#certificate(object));
    caches.clusters.onChange(({ object }) => see(keyOf(object.metadata)));
    caches.operations.onChange(({ object }) => see(targetKeyOf(object)));
    const children: Cache<KubeObject>[] = [caches.pods, caches.slices, caches.configMaps, caches.leases];
    for (const cache of children) {
      cache.onChange(({ object }) => {
        const key = clusterKeyOf(object);
        if (key !== undefined) see(key);
      });
    }
    caches.nodes.onChange(({ object, previous }) => {
      if (signOf(object) !== signOf(previous)) for (const key of this.#groups.keys()) see(key);
    });
  }

  /** A group for each cluster that there is, with or without something to do. */
  #see(caches: Caches, key: string, make: (key: string) => Watched): void {
    const known = this.#groups.get(key);
    const isThere = caches.clusters.get(refOf(key)) !== undefined;
    if (!known && isThere) this.#groups.set(key, make(key));
    else if (known && isThere) known.group.seen();
    else if (known) {
      known.group.close();
      this.#groups.delete(key);
    }
  }

  #make(key: string, sources: Sources, to: { decisions: Controller; reports: Controller }): Watched {
    const log = withMeta(this.log, { cluster: key });
    const { identity } = this.#options;
    const { client } = this;
    const clock = systemClock;
    const event = (note: EventNote): void => {
      const { object } = sources.group(key);
      if (object) this.#events.record(object, note);
    };
    const reporter = new Reporter(client, clock);
    const tracker = new SwitchTracker({
      name: refOf(key).name,
      event,
      ended: entry => {
        this.#metrics?.switched(entry);
        reporter.ended(entry);
        to.reports.enqueue(key);
      },
    });
    const operations = new Operations({ client, clock, event, loss: () => tracker.loss });
    const group = new Group({
      key,
      client,
      agents: this.#agents,
      sources,
      clock,
      log,
      identity,
      isLeading: () => this.isLeader,
      tracker,
      asked: record => {
        const { object, operations: seen } = sources.group(key);
        return operations.asked(seen, { since: object?.metadata.creationTimestamp, record });
      },
      judged: (asked, decision) => operations.judged(asked, decision),
      wake: () => to.decisions.enqueue(key),
      told: () => to.reports.enqueue(key, SETTLED_MS),
    });
    if (this.isLeader) group.lead();
    return { group, reporter };
  }

  async #report(key: string): Promise<undefined> {
    const watched = this.#groups.get(key);
    if (watched) await watched.reporter.report(watched.group);
  }

  #certificate(secret: Secret): void {
    const files = readTlsData(secret.data);
    if (files) {
      const { bundle: ca, certificate: cert, key } = files;
      this.#agents.use({ ca, cert, key });
      this.#api?.use({ cert, key });
    } else this.log.error('the Secret with our certificate is not complete', { secret: secret.metadata.name });
  }

  /** The pod that leads, and this one where it is another. */
  async #managers(): Promise<ManagerPlace[]> {
    const { election, podName } = this.#options;
    const lease = election && (await this.#options.client.get(RESOURCES.leases, election.lease));
    const leader = lease?.spec?.holderIdentity?.split('_', 1)[0] ?? '';
    const found: ManagerPlace[] = leader === '' ? [] : [{ endpoint: leader, role: 'leader' }];
    return leader === podName ? found : [...found, { endpoint: podName, role: 'standby' }];
  }

  #figures(): { all: number; withoutWriter: number; streams: number } {
    const groups = [...this.#groups.values()].map(it => it.group);
    const lacksWriter = ({ look }: Group): boolean =>
      look !== undefined && look.view.wanted === 'running' && writerOf(look.view) === undefined;
    return {
      all: groups.length,
      withoutWriter: groups.filter(lacksWriter).length,
      streams: groups.reduce((sum, { members }) => sum + members.streams, 0),
    };
  }
}

/** A node says something new only when one of these does: its heartbeats are trimmed away, but still events. */
const signOf = (node: Node | undefined): string =>
  JSON.stringify([node?.spec?.taints ?? [], node?.spec?.unschedulable ?? false, node?.status?.conditions ?? []]);
