import type { Registry } from 'prom-client';
import { systemClock } from '../kube/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { Controller, type ControllerMetrics } from '../kube/controller.ts';
import { EventRecorder } from '../kube/events.ts';
import type { Cache } from '../kube/informer.ts';
import { Informers, type WatchFigures } from '../kube/informers.ts';
import type { ReflectorTiming } from '../kube/reflector.ts';
import { RESOURCES, type Node } from '../kube/resources.ts';
import type { Logger } from '../kube/types.ts';
import { HOST_CONDITION } from '../model/host.ts';
import { hostReady, settingsValid, type HostConditionUpdate } from './conditions.ts';
import type { DaemonConfig } from './config.ts';
import { HostFacts } from './facts.ts';
import type { HostJobs, JobContext } from './jobs.ts';
import { JOB_NAMES, type JobName, type LoopState } from './loop.ts';
import { loopNotes, Loops } from './loops.ts';
import { LoopMetrics } from './metrics.ts';
import { networkConditions } from './network/conditions.ts';
import { NodePublisher } from './publisher.ts';
import { SettingsWatch } from './settings-watch.ts';
import { NODE_ADDRESS } from './sshd-place.ts';

export interface HostDaemonOptions {
  config: DaemonConfig;
  /** Closed at the end of drain. */
  client: KubeClient;
  log: Logger;
  metrics?: ControllerMetrics & { watch(name: string, stats: () => WatchFigures): void };
  reflector?: Partial<ReflectorTiming>;
  /** Where the figures of the loops go. */
  registry?: Registry;
  makeJobs: (context: JobContext) => HostJobs;
  /** 0 <= random() < 1. */
  random?: () => number;
}

/** A start tells nothing for so long unless every loop is through once: what a former process said stays, ms. */
const STARTING_MS = 10_000;
/** Runs that are called off end within this time, ms; the kubelet waits 30 s. */
const STOP_MS = 10_000;
const NODE_KEY = 'node';

/**
 * The part `daemon`: what only the host itself knows, found out and published, each job in a loop of its own. It has no
 * leader and few watches, and does without the base class of operators, whose library takes 50 MB on each host.
 */
export class HostDaemon {
  readonly #options: HostDaemonOptions;
  readonly #clock = systemClock;
  readonly #facts = new HostFacts(this.#clock);
  readonly #events: EventRecorder;
  readonly #startedAt = this.#clock.now();
  readonly #informers: Informers;
  readonly #nodes: Cache<Node>;
  readonly #settings: SettingsWatch;
  readonly #jobs: HostJobs;
  readonly #loops: Loops;
  readonly #publisher: NodePublisher;
  readonly #publishing: Controller;
  readonly #metrics: LoopMetrics | undefined;
  #isActing = false;
  #warming: Promise<void> = Promise.resolve();
  #draining: Promise<boolean> | undefined;

  constructor(options: HostDaemonOptions) {
    this.#options = options;
    const { config, client, log, metrics, reflector, registry, makeJobs, random = Math.random } = options;
    const { host } = config;
    const clock = this.#clock;
    const component = 'polardb-stack-daemon';
    this.#events = new EventRecorder({ client, log, component, instance: config.podName });
    this.#informers = new Informers({ source: client, log, timing: reflector });
    this.#nodes = this.#informers.watch(RESOURCES.nodes, { fieldSelector: `metadata.name=${host}`, trim: trimNode });
    this.#settings = new SettingsWatch(
      {
        watch: (type, request) => this.#informers.watch(type, request),
        ...config,
        namespace: config.settingsNamespace,
      },
      concerned => this.#settingsChanged(concerned),
    );
    this.#jobs = makeJobs({
      ...{ config, client, clock, random, log },
      facts: this.#facts,
      settings: () => this.#settings.current,
      publishedIp: card => this.#publishedIp(card),
      nodeAddress: () => nodeAddress(this.#nodes.list()[0]),
      loops: () => this.#loops,
    });
    const onChange = (name: JobName, state: LoopState): void => this.#loopChanged(name, state);
    this.#loops = new Loops({ jobs: this.#jobs.jobs, clock, random, log, onChange });
    this.#metrics = registry && new LoopMetrics(registry, () => this.#loops.states);
    const wanted = (): HostConditionUpdate[] | undefined => this.#wanted();
    this.#publisher = new NodePublisher({ ...{ client, host, clock, random, wanted }, nodes: this.#nodes });
    this.#publishing = new Controller({
      ...{ log, metrics, workers: 1, name: 'node-conditions' },
      backoff: { baseMs: 500, maxMs: 5_000 },
      timeoutMs: 15_000,
      reconcile: (_key, { signal }) => this.#publisher.run(signal),
    });
  }

  /** What this process lacks to do its work; undefined when nothing. */
  get lack(): string | undefined {
    const late = this.#informers.stats.filter(watch => !watch.isSynced).map(watch => watch.kind);
    return late.length === 0 ? undefined : `first lists not there yet: ${late.join(', ')}`;
  }

  /** A line for each loop. */
  get notes(): string[] {
    return loopNotes(this.#loops.states, this.#clock.date());
  }

  /** Resolves when the watches are on their way. */
  start(): Promise<void> {
    const { metrics } = this.#options;
    if (metrics) this.#informers.offerFigures((plural, figures) => metrics.watch(plural, figures));
    this.#nodes.onChange(() => this.#publishing.enqueue(NODE_KEY));
    this.#informers.start();
    this.#warming = this.#actWhenWarm();
    return Promise.resolve();
  }

  /** Calls off what runs, waits for it, and closes all. False when something did not end. */
  drain(): Promise<boolean> {
    this.#draining ??= this.#drainOnce();
    return this.#draining;
  }

  async #drainOnce(): Promise<boolean> {
    const ended = await Promise.all([this.#loops.stop(STOP_MS), this.#publishing.close(STOP_MS)]);
    this.#publishing.abort();
    this.#publishing.clear();
    await this.#jobs.stop();
    await this.#informers.stop();
    await this.#warming;
    await this.#options.client.close();
    return ended.every(Boolean);
  }

  async #actWhenWarm(): Promise<void> {
    if (!(await this.#informers.areSynced()) || this.#draining) return;
    this.#isActing = true;
    this.#options.log.info('all watches are synced');
    this.#settings.read();
    this.#tellProblems();
    this.#loops.start();
    this.#jobs.start();
    this.#publishing.open();
    this.#publishing.enqueue(NODE_KEY, STARTING_MS);
  }

  #loopChanged(name: JobName, state: LoopState): void {
    this.#metrics?.changed(name, state);
    if (!state.isRunning || state.isStuck) this.#publishing.enqueue(NODE_KEY);
  }

  #settingsChanged(concerned: readonly JobName[]): void {
    if (!this.#isActing) return;
    this.#tellProblems();
    for (const name of concerned) void this.#loops.now(name);
    this.#publishing.enqueue(NODE_KEY);
  }

  /** A problem that lasts is one Event with a count. */
  #tellProblems(): void {
    const node = this.#nodes.list()[0];
    for (const { map, key, message, remedy } of this.#settings.current.problems) {
      const text = `${map} ${key}: ${message}; ${remedy}. The last good value stays in force`;
      this.#options.log.warn('a setting cannot be used', { map, key, problem: message });
      if (node) this.#events.record(node, { type: 'Warning', reason: 'SettingsInvalid', message: text });
    }
  }

  /** What the conditions of the node are to say. */
  #wanted(): HostConditionUpdate[] | undefined {
    const { states } = this.#loops;
    const isThrough = JOB_NAMES.every(name => name === 'logs' || states[name].lastDurationMs !== undefined);
    if (!isThrough && this.#clock.now() - this.#startedAt < STARTING_MS) return undefined;
    const { card, isOobOn, problems } = this.#settings.current;
    const network = networkConditions({
      ...{ card, isOobOn },
      network: this.#facts.get('network'),
      error: states.network.error,
      told: type => this.#condition(type),
    });
    return [...network, hostReady(states), settingsValid(problems)];
  }

  #publishedIp(card: string): string | undefined {
    const told = this.#condition(HOST_CONDITION.clientIp);
    return told?.status === 'True' && told.reason === card ? told.message : undefined;
  }

  #condition(type: string): { status: string; reason?: string; message?: string } | undefined {
    return this.#publisher.conditions.find(condition => condition.type === type);
  }
}

/** Of a node only what is looked at here: its images alone are some 10 kB. */
function trimNode({ apiVersion, kind, metadata, status }: Node): Node {
  const { name, uid, resourceVersion } = metadata;
  const { conditions, addresses } = status ?? {};
  return { apiVersion, kind, metadata: { name, uid, resourceVersion }, status: { conditions, addresses } };
}

const nodeAddress = (node: Node | undefined): string | undefined =>
  node?.status?.addresses?.find(({ type }) => type === NODE_ADDRESS)?.address;
