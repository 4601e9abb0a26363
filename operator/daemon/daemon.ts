import type { Registry } from 'prom-client';
import { systemClock } from '../kube/clock.ts';
import type { Controller } from '../kube/controller.ts';
import { EventRecorder } from '../kube/events.ts';
import type { Cache } from '../kube/informer.ts';
import { StackOperator, type StackOperatorOptions } from '../kube/operator.ts';
import { RESOURCES, type Node } from '../kube/resources.ts';
import { HOST_CONDITION } from '../model/host.ts';
import { hostReady, settingsValid, type HostConditionUpdate } from './conditions.ts';
import type { DaemonConfig } from './config.ts';
import { HostFacts } from './facts.ts';
import type { HostJobs, JobContext } from './jobs.ts';
import { JOB_NAMES, type JobName, type LoopState } from './loop.ts';
import { loopNotes, Loops, type LoopStates } from './loops.ts';
import { LoopMetrics } from './metrics.ts';
import { networkConditions } from './network/conditions.ts';
import { NodePublisher } from './publisher.ts';
import { SettingsWatch } from './settings-watch.ts';

export interface HostDaemonOptions extends StackOperatorOptions {
  config: DaemonConfig;
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

/** The part `daemon`: what only the host itself knows, found out and published, each job in a loop of its own. */
export class HostDaemon extends StackOperator {
  readonly #options: HostDaemonOptions;
  readonly #clock = systemClock;
  readonly #facts = new HostFacts(this.#clock);
  readonly #events: EventRecorder;
  readonly #startedAt = this.#clock.now();
  #nodes!: Cache<Node>;
  #settings!: SettingsWatch;
  #jobs!: HostJobs;
  #loops: Loops | undefined;
  #publisher!: NodePublisher;
  #publishing!: Controller;
  #metrics: LoopMetrics | undefined;

  constructor(options: HostDaemonOptions) {
    super(options);
    this.#options = options;
    const { client, log } = this;
    const component = 'polardb-stack-daemon';
    this.#events = new EventRecorder({ client, log, component, instance: options.config.podName });
  }

  /** What this process lacks to do its work; undefined when nothing. */
  get lack(): string | undefined {
    const late = this.watchStats.filter(watch => !watch.isSynced).map(watch => watch.kind);
    return late.length === 0 ? undefined : `first lists not there yet: ${late.join(', ')}`;
  }

  /** A line for each loop. */
  get notes(): string[] {
    return this.#loops ? loopNotes(this.#loops.states, this.#clock.date()) : [];
  }

  protected override init(): Promise<void> {
    const { config, makeJobs, registry, random = Math.random } = this.#options;
    const { client, log } = this;
    const clock = this.#clock;
    this.#nodes = this.watch(RESOURCES.nodes, { fieldSelector: `metadata.name=${config.host}`, trim: trimNode });
    this.#settings = new SettingsWatch(
      { watch: (type, request) => this.watch(type, request), ...config, namespace: config.settingsNamespace },
      concerned => this.#settingsChanged(concerned),
    );
    this.#jobs = makeJobs({
      ...{ config, client, clock, random, log },
      facts: this.#facts,
      settings: () => this.#settings.current,
      publishedIp: card => this.#publishedIp(card),
      loops: () => loops,
    });
    const onChange = (name: JobName, state: LoopState): void => this.#loopChanged(name, state);
    const loops: Loops = new Loops({ jobs: this.#jobs.jobs, clock, random, log, onChange });
    this.#loops = loops;
    if (registry) this.#metrics = new LoopMetrics(registry, () => loops.states);
    const wanted = (): HostConditionUpdate[] | undefined => this.#wanted(loops.states);
    this.#publisher = new NodePublisher({ client, nodes: this.#nodes, host: config.host, clock, random, wanted });
    this.#publishing = this.controller({
      name: 'node-conditions',
      workers: 1,
      backoff: { baseMs: 500, maxMs: 5_000 },
      timeoutMs: 15_000,
      reconcile: (_key, { signal }) => this.#publisher.run(signal),
    });
    this.#nodes.onChange(() => this.#publishing.enqueue(NODE_KEY));
    return Promise.resolve();
  }

  /** The first lists are in. */
  protected override onLeading(): void {
    this.#settings.read();
    this.#tellProblems();
    this.#loops?.start();
    this.#jobs.start();
    this.#publishing.enqueue(NODE_KEY, STARTING_MS);
  }

  override async drain(): Promise<boolean> {
    const [ended] = await Promise.all([this.#loops?.stop(STOP_MS), this.#jobs.stop()]);
    return (await super.drain()) && ended !== false;
  }

  #loopChanged(name: JobName, state: LoopState): void {
    this.#metrics?.changed(name, state);
    if (!state.isRunning || state.isStuck) this.#publishing.enqueue(NODE_KEY);
  }

  #settingsChanged(concerned: readonly JobName[]): void {
    if (!this.isLeader) return;
    this.#tellProblems();
    for (const name of concerned) void this.#loops?.now(name);
    this.#publishing.enqueue(NODE_KEY);
  }

  /** A problem that lasts is one Event with a count. */
  #tellProblems(): void {
    const node = this.#nodes.list()[0];
    for (const { map, key, message, remedy } of this.#settings.current.problems) {
      const text = `${map} ${key}: ${message}; ${remedy}. The last good value stays in force`;
      this.log.warn('a setting cannot be used', { map, key, problem: message });
      if (node) this.#events.record(node, { type: 'Warning', reason: 'SettingsInvalid', message: text });
    }
  }

  /** What the conditions of the node are to say. */
  #wanted(states: LoopStates): HostConditionUpdate[] | undefined {
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
  return { apiVersion, kind, metadata: { name, uid, resourceVersion }, status: { conditions: status?.conditions } };
}
