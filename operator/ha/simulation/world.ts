import { formatIncarnation, isSameIncarnation, type Incarnation } from '../incarnation.ts';
import type { GroupRecord } from '../record.ts';
import type { HaOptions } from '../options.ts';
import { DEFAULT_OPTIONS } from '../options.ts';
import type { Topology } from '../../model/roles.ts';
import { Agent } from './agent.ts';
import type { AgentWorld } from './agent-body.ts';
import { nothingPersisted } from './agent-state.ts';
import { ApiServer, type PodObject } from './api-server.ts';
import { Promises } from './checks.ts';
import { blankData, timelineOf, type Data, type OwnVolume } from './data.ts';
import { RW_TARGETS } from './fault-targets.ts';
import { Machine } from './kubelet.ts';
import { Manager, type ManagerWorld } from './manager.ts';
import type { Site } from './manager-view.ts';
import { Network, type Host } from './network.ts';
import { keepPods, type Wanted } from './pod-keeper.ts';
import { HostClock, Process } from './process.ts';
import { Random } from './random.ts';
import { production, type Rules } from './rules.ts';
import { VirtualTime, type Tell } from './time.ts';

/** What differs from world to world. */
export interface WorldOptions {
  seed: number;
  topology: Topology;
  /** Instances 1, 2, ..., each on a host of its own. */
  instances: number;
  /** Deviation of each host's clock, as a share: 0.01 is 1 % fast. */
  drift: readonly number[];
  /** Period of writes to each RW, ms. */
  writeMs: number;
  ha?: Partial<HaOptions>;
}

const UID = 'cluster-uid';
const KEEP_PODS_MS = 1000;
/** Hosts: one per instance, and a spare one. The managers run on the last two. */
const HOSTS = 4;
const EPOCH_OF_ISO = Date.UTC(2026, 0, 1);

/** Everything there is, in virtual time, around the production rules. */
export class World {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: Network;
  readonly api: ApiServer;
  readonly promises: Promises;
  readonly machines: Machine[];
  readonly managers: Manager[] = [];
  readonly site: Site;
  readonly options: WorldOptions;
  /** Hosts that were frozen once. */
  readonly frozen = new Set<Host>();
  isOperatorUp = true;
  readonly tell: Tell;
  readonly #rules: Rules;
  readonly #shared: Data = blankData();
  readonly #volumes = new Map<string, OwnVolume>();
  readonly #agents = new Map<string, Agent>();
  readonly #byPod = new Map<string, Agent>();
  readonly #apiProcess: Process;
  #serial = 0;
  #row = 0;

  /** @param tell hears the story, a line an event */
  constructor(options: WorldOptions, rules: Rules = production, tell?: (line: string) => void) {
    this.options = options;
    this.tell = what => tell?.(`${this.time.now.toFixed(1).padStart(9)} ${what()}`);
    this.#rules = rules;
    this.random = new Random(options.seed);
    this.network = new Network(this.time, this.random);
    const clock = new HostClock(this.time, 0, 1);
    this.#apiProcess = new Process(this.time, clock);
    this.promises = new Promises(run => options.topology === 'local' && this.frozen.has(run.host));
    const { time, network, random } = this;
    this.api = new ApiServer({ time, network, random, process: this.#apiProcess }, (before, next) => {
      this.tell(() => `record: ${describeRecord(next)}`);
      this.promises.onRecord(before, next);
    });
    this.site = siteOf(options);
    this.machines = Array.from({ length: HOSTS }, (_, at) => this.#newMachine(at));
    for (const it of this.machines) this.api.changeNode(it.name, node => node);
    for (const at of [0, 1]) this.startManager(at);
    this.#apiProcess.every(KEEP_PODS_MS, 1, () => this.#keepPods());
  }

  /** Runs on; a broken promise is thrown at the moment it breaks. */
  runFor(ms: number): void {
    this.time.runUntil(this.time.now + ms);
  }

  /** What an agent is, by its incarnation, while it lives. */
  agentOf = (incarnation: Incarnation): Agent | undefined => {
    const agent = this.#agents.get(formatIncarnation(incarnation));
    return agent?.isAlive ? agent : undefined;
  };

  get agents(): Agent[] {
    return [...this.#byPod.values()].filter(it => it.isAlive);
  }

  /** Instances whose pod's agent lives, in the order of their ids. */
  agentsOf(instanceId: string): Agent[] {
    return this.agents.filter(it => it.incarnation.instanceId === instanceId);
  }

  /** Its container is the present one of a pod that leads: the RW that the record names. */
  get holder(): Agent | undefined {
    const { holder } = this.api.stored.record?.record ?? {};
    return holder && this.agentOf(holder);
  }

  startManager(at: number): void {
    const machine = this.machines[HOSTS - 1 - at]!;
    const place = { identity: `cm-${++this.#serial}`, host: machine.name, clock: machine.clock };
    const { time, network, api, site } = this;
    const world: ManagerWorld = {
      ...{ time, network, api, site, rules: this.#rules, tell: this.tell },
      agentOf: this.agentOf,
      iso: () => this.#iso(),
    };
    this.managers[at] = new Manager(world, place, 10 + at * 40);
  }

  /** A published RW acknowledges writes. */
  get isServing(): boolean {
    const { published, record } = this.api.stored;
    const { latest } = this.promises;
    const { holder } = record?.record ?? {};
    if (!published || !holder || !latest?.acceptsWrites || !isSameIncarnation(published, holder)) return false;
    return latest.name === formatIncarnation(published) && this.promises.isAcknowledging(latest);
  }

  powerOn(host: Host): void {
    this.machine(host).powerOn();
    this.api.changeNode(host, node => ({ ...node, outOfService: false }));
  }

  /** A person asks for another RW; a request that waits stays. */
  askSwitchover(target: number): void {
    const id = `switchover-${++this.#serial}`;
    const { instances } = this.site;
    const instance = instances[(target - RW_TARGETS) % instances.length]?.id;
    this.api.change(({ request }) => {
      if (request && request.outcome === undefined) return {};
      return { request: { kind: 'switchover', id, by: 'a person', target: instance } };
    });
  }

  /** A person looks, and says that the former RW is dead; people tell the truth. @returns whether they could */
  attest(): boolean {
    const { former } = this.api.stored.record?.record ?? {};
    if (!former || this.agentOf(former.incarnation)) return false;
    this.site.attestation = { incarnation: former.incarnation, who: 'a person', when: this.#iso() };
    return true;
  }

  /** Everything is right again. */
  mendAll(): void {
    this.network.mendAll();
    Object.assign(this.api, { isUp: true, hangMs: 0, recordHangMs: 0, lagMs: 20 });
    for (const it of this.machines) {
      if (!it.isOn) this.powerOn(it.name);
      it.startKubelet();
    }
    this.managers.forEach((it, at) => {
      if (!it.process.isAlive) this.startManager(at);
    });
  }

  machine(host: Host): Machine {
    return this.machines.find(it => it.name === host)!;
  }

  #newMachine(at: number): Machine {
    const clock = new HostClock(this.time, 1000 * at, 1 + (this.options.drift[at] ?? 0));
    const { time, network, api } = this;
    const startContainer = (pod: PodObject, on: Machine): Agent => this.#startAgent(pod, on);
    return new Machine(`host-${at + 1}`, clock, { time, network, api, startContainer, iso: () => this.#iso() });
  }

  #startAgent(pod: PodObject, machine: Machine): Agent {
    const serial = ++this.#serial;
    const nonce = serial.toString(16).padStart(16, '0');
    const incarnation = { instanceId: pod.instanceId, podUid: pod.uid, nonce };
    const note = { containerId: `containerd://c${serial}`, startedAt: this.#iso(), node: machine.name };
    const agent = new Agent(this.#agentWorld(), machine, { incarnation, note, volume: this.#volumeOf(pod) });
    this.#agents.set(agent.name, agent);
    this.#byPod.set(pod.uid, agent);
    return agent;
  }

  #agentWorld(): AgentWorld {
    const { time, network, random, api, promises } = this;
    const { writeMs } = this.options;
    return {
      ...{ time, network, random, api, writeMs, rules: this.#rules, tell: this.tell },
      ...{ options: this.site.options, clusterUid: UID, isStreaming: this.site.isStreaming },
      acknowledge: (row, run) => promises.onAcknowledged(row, run),
      nextRow: () => ++this.#row,
      began: run => {
        this.tell(() => `${run.name} is RW from row ${run.data.rows.length}, timeline ${timelineOf(run.data)}`);
        promises.onWriter(run);
      },
      addressOf: podUid => () => {
        const run = this.#byPod.get(podUid)?.engine.run;
        return run?.hasSessions ? run : undefined;
      },
      agentOf: this.agentOf,
      iso: () => this.#iso(),
    };
  }

  /** In `share` what is an instance's own goes with its pod; in `local` its volume stays on its host. */
  #volumeOf({ uid, instanceId }: PodObject): OwnVolume {
    const isShared = this.options.topology === 'share';
    const key = isShared ? uid : instanceId;
    const known = this.#volumes.get(key);
    if (known) return known;
    const volume = { persisted: nothingPersisted(), data: isShared ? this.#shared : blankData() };
    this.#volumes.set(key, volume);
    return volume;
  }

  #keepPods(): void {
    if (!this.isOperatorUp || !this.api.isUp) return;
    const attestedPod = this.site.attestation?.incarnation.podUid;
    keepPods({ api: this.api, wanted: this.#wanted(), attestedPod }, () => `pod-${++this.#serial}`);
  }

  /** A volume of its own is on one host: where it was made. */
  #wanted(): Wanted[] {
    const hosts = this.machines.map(it => it.name);
    return this.site.instances.map(({ id }) => {
      const own = hosts[Number(id) - 1]!;
      const others = this.options.topology === 'share' ? hosts.filter(it => it !== own) : [];
      return { instanceId: id, hosts: [own, ...others] };
    });
  }

  #iso(): string {
    return new Date(EPOCH_OF_ISO + Math.round(this.time.now)).toISOString();
  }
}

function siteOf({ topology, instances, ha }: WorldOptions): Site {
  return {
    clusterUid: UID,
    topology,
    isStreaming: topology === 'local',
    options: { ...DEFAULT_OPTIONS, ...ha },
    instances: Array.from({ length: instances }, (_, at) => ({ id: String(at + 1), follows: 'ro', isLeaving: false })),
    wanted: 'running',
  };
}

function describeRecord({ epoch, term, generation, members, k, holder, fence }: GroupRecord): string {
  const names = members.map(it => formatIncarnation(it.incarnation) + (it.pending ? ' (pending)' : ''));
  const who = holder ? formatIncarnation(holder) : `nobody, ${fence ? `rung ${fence.rung}` : 'no proof'}`;
  return `${who}; epoch ${epoch}, term ${term}, generation ${generation}: ${k} of [${names.join(', ')}]`;
}
