import { EventRecorder } from '../kube/events.ts';
import type { Cache } from '../kube/informer.ts';
import { StackOperator, type StackOperatorOptions } from '../kube/operator.ts';
import { isStatusOnly } from '../kube/status.ts';
import { RESOURCES, type DaemonSet, type Node, type Secret } from '../kube/resources.ts';
import type { Change } from '../kube/store.ts';
import { keyOf, type KubeObject } from '../kube/types.ts';
import { DAEMON_SUBJECT, HOST_HEARTBEAT_MS, HOST_STALE_MS } from '../model/host.ts';
import { CA_SECRET } from '../model/names.ts';
import { newPassword } from '../pki/passwords.ts';
import { TLS_SECRET_TYPE } from '../pki/secret.ts';
import { isSameSettings, SETTINGS_WATCHES } from '../settings/site.ts';
import { keepAuthority } from './authority.ts';
import { TlsAgentDirectory } from './agents.ts';
import type { AgentDirectory, Children, Tools } from './context.ts';
import { nodeSign, trimHostFacts, trimNode, versionsTold } from './gather/hosts.ts';
import { CaIssuer } from './issuer.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS } from '../kinds/mpd.ts';
import { keepPartCertificate, PART_SUBJECTS } from './part-certificate.ts';
import type { ClusterPlan } from './plan.ts';
import { ClusterReconciler } from './reconciler.ts';
import {
  areInstalled,
  BY_CLUSTER,
  byCluster,
  CachedSources,
  CHILD_SELECTOR,
  CHILD_TYPES,
  BY_NAME,
  byName,
  clusterKeyOf,
  HOST_FACTS_SELECTOR,
  trimPod,
} from './sources.ts';
import type { Caches } from './sources.ts';

export interface LifecycleOptions extends StackOperatorOptions {
  operatorName: string;
  /** Who writes Events. */
  podName: string;
  systemNamespace: string;
  settingsNamespace: string;
  /** Namespaces with clusters; absent: all. */
  watchNamespaces?: readonly string[];
  stackImage: string;
  pullPolicy: ClusterPlan['images']['pullPolicy'];
  /** Clusters worked on at the same time. */
  workers: number;
  /** Is told of each step of each operation, for metrics. */
  flowEvents: Tools['flowEvents'];
}

/**
 * News in status alone, mostly our own words and those of the cluster manager, wait so long for others, ms: each of them
 * was three more writes, ours in operation and cluster. What a step goes on by is told by other objects.
 */
const STATUS_MS = 1_000;

/** The part `operator`: watches clusters, their children and the site's maps, and brings each cluster to its spec. */
export class LifecycleOperator extends StackOperator {
  readonly #options: LifecycleOptions;
  #agents: TlsAgentDirectory | undefined;
  #opening: Promise<void> | undefined;

  constructor(options: LifecycleOptions) {
    super(options);
    this.#options = options;
  }

  protected override init(): Promise<void> {
    const caches = this.#watchAll();
    const { operatorName, stackImage, pullPolicy, workers } = this.#options;
    const base = {
      client: this.client,
      log: this.log,
      now: () => new Date(),
      systemNamespace: this.#options.systemNamespace,
    };
    const sources = new CachedSources(caches, base.now);
    const issuer = new CaIssuer(base);
    const tools = this.#tools({ ...base, issuer }, sources);
    const reconciler = new ClusterReconciler({ tools, sources, operatorName, stackImage, pullPolicy });
    const controller = this.controller({
      name: 'mpdcluster',
      workers,
      reconcile: async (key, { signal }) => {
        await this.#openAgents(issuer);
        return reconciler.reconcile(key, signal);
      },
    });
    const all = (): string[] => caches.clusters.list().map(cluster => keyOf(cluster.metadata));
    this.#keepCertificates({ ...base, issuer }, caches.secrets).onChange(() => {
      void this.#agents?.renew();
      for (const key of all()) controller.enqueue(key);
    });
    const ofCluster = (object: KubeObject): string[] => [clusterKeyOf(object) ?? ''].filter(key => key !== '');
    const calmly = (change: Change<KubeObject>): number => (isStatusOnly(change) ? STATUS_MS : 0);
    controller
      .on(caches.clusters, ({ metadata }) => [keyOf(metadata)], calmly)
      // By what they name: those that people make carry no labels.
      .on(caches.operations, byTarget, calmly);
    for (const kind of Object.keys(CHILD_TYPES) as (keyof Children)[])
      controller.on<KubeObject>(caches[kind], ofCluster);
    caches.nodes.onChange(({ object, previous }) => {
      if (nodeSign(object) !== nodeSign(previous)) for (const key of all()) controller.enqueue(key);
    });
    this.#followDaemons(caches.daemonSets, () => {
      for (const key of all()) controller.enqueue(key);
    });
    // Ports that come and go concern only those that wait for a host, and they look again by themselves.
    caches.hostFacts.onChange(({ object, previous }) => {
      if (versionsTold(object) !== versionsTold(previous)) for (const key of all()) controller.enqueue(key);
    });
    for (const cache of caches.settings) {
      cache.onChange(({ type, object, previous }) => {
        if (type === 'MODIFIED' && isSameSettings(object, previous)) return;
        this.#reread(sources);
        for (const key of all()) controller.enqueue(key);
      });
    }
    return Promise.resolve();
  }

  /** What daemons said begins to count with their DaemonSet, and ends to when it is gone and they have fallen silent. */
  #followDaemons(daemonSets: Cache<DaemonSet>, onChange: () => void): void {
    const reconcile = (): Promise<undefined> => {
      onChange();
      return Promise.resolve(undefined);
    };
    const daemons = this.controller({ name: 'daemons', workers: 1, reconcile });
    daemonSets.onChange(({ type }) => {
      if (!areInstalled(daemonSets)) daemons.enqueue(DAEMON_SUBJECT.name, HOST_STALE_MS + HOST_HEARTBEAT_MS);
      else if (type !== 'MODIFIED') daemons.enqueue(DAEMON_SUBJECT.name);
    });
  }

  override async drain(): Promise<boolean> {
    const ended = await super.drain();
    this.#agents?.close();
    return ended;
  }

  /** The authority and the certificates of parts, from the first moment on: nobody has to wait for a first cluster. */
  #keepCertificates(
    tools: Pick<Tools, 'client' | 'log' | 'now' | 'systemNamespace'> & { issuer: CaIssuer },
    instances: Cache<Secret>,
  ): Cache<Secret> {
    const own = (name: string): Cache<Secret> => {
      return this.watch(RESOURCES.secrets, {
        namespaces: [tools.systemNamespace],
        fieldSelector: `metadata.name=${name}`,
      });
    };
    const secrets = Object.keys(PART_SUBJECTS);
    const ofParts = new Map(secrets.map(name => [name, own(name)]));
    const parts = this.controller({
      name: 'part-certificate',
      workers: 1,
      reconcile: name => keepPartCertificate(tools, { name, current: ofParts.get(name)?.list()[0] }),
    });
    const leafs = (): Secret[] =>
      [instances, ...ofParts.values()].flatMap(cache => cache.list()).filter(({ type }) => type === TLS_SECRET_TYPE);
    const authority = this.controller({
      name: 'certificate-authority',
      workers: 1,
      reconcile: () => keepAuthority({ ...tools, leafs }),
    });
    // Whoever changes the authority, a rotation, another replica or a person: all certificates are looked at again.
    const ca = own(CA_SECRET);
    ca.onChange(() => {
      tools.issuer.forget();
      authority.enqueue(CA_SECRET);
      for (const name of secrets) parts.enqueue(name);
    });
    for (const [name, cache] of ofParts) parts.on(cache, () => [name]).enqueue(name);
    return ca;
  }

  #watchAll(): Caches {
    const namespaces = this.#options.watchNamespaces;
    const child = { namespaces, labelSelector: CHILD_SELECTOR, indexes: { [BY_CLUSTER]: byCluster } };
    const children = Object.entries(CHILD_TYPES).map(([kind, type]) => [
      kind,
      type === RESOURCES.pods
        ? this.watch(RESOURCES.pods, { ...child, trim: trimPod })
        : this.watch(type as typeof RESOURCES.services, child),
    ]);
    const settings = { namespaces: [this.#options.settingsNamespace] };
    const maps = SETTINGS_WATCHES.names.map(name => ({ ...settings, fieldSelector: `metadata.name=${name}` }));
    return {
      ...(Object.fromEntries(children) as Pick<Caches, keyof Children>),
      clusters: this.watch(MPD_CLUSTERS, { namespaces }),
      operations: this.watch(MPD_OPERATIONS, { namespaces, indexes: { [BY_CLUSTER]: byTarget } }),
      nodes: this.watch(RESOURCES.nodes, { trim: trimNode }),
      hostFacts: this.watch(RESOURCES.configMaps, {
        ...settings,
        labelSelector: HOST_FACTS_SELECTOR,
        indexes: { [BY_NAME]: byName },
        trim: trimHostFacts,
      }),
      daemonSets: this.watch(RESOURCES.daemonSets, {
        namespaces: [this.#options.systemNamespace],
        fieldSelector: `metadata.name=${DAEMON_SUBJECT.name}`,
        trim: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }),
      }),
      settings: [...maps, { ...settings, labelSelector: SETTINGS_WATCHES.selector }].map(request =>
        this.watch(RESOURCES.configMaps, request),
      ),
    };
  }

  #tools(base: Pick<Tools, 'client' | 'log' | 'now' | 'issuer' | 'systemNamespace'>, sources: CachedSources): Tools {
    const agents: AgentDirectory = {
      of: (instance, address) => {
        if (!this.#agents) throw new Error('agents are asked before the certificate is there');
        return this.#agents.of(instance, address);
      },
    };
    const node = (name: string): Node | undefined => sources.node(name);
    const { settingsNamespace, flowEvents, podName } = this.#options;
    const events = new EventRecorder({ ...base, component: 'polardb-stack-operator', instance: podName });
    return { ...base, agents, events, newPassword: () => newPassword(), node, settingsNamespace, flowEvents };
  }

  /** Once, however many clusters need it at the same moment; again when it failed. */
  #openAgents(issuer: CaIssuer): Promise<void> {
    this.#opening ??= TlsAgentDirectory.open(
      () => issuer.partFiles('operator', 'polardb-stack-operator'),
      error => this.log.error('our certificate could not be renewed', { error }),
    ).then(
      agents => {
        this.#agents = agents;
      },
      (error: unknown) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }

  #reread(sources: CachedSources): void {
    for (const { map, key, message, remedy } of sources.rereadSite().problems) {
      this.log.warn('a setting cannot be used, what was in force stays', { map, key, problem: message, remedy });
    }
  }
}

/** Operations belong to the cluster that they name, whoever made them. */
const byTarget = (object: KubeObject): string[] => {
  const { target } = (object as KubeObject & { spec: { target: { name: string } } }).spec;
  return [`${object.metadata.namespace ?? ''}/${target.name}`];
};
