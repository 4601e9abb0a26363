import type { Command } from '../action.ts';
import type { CommandStamp } from '../command.ts';
import type { HeardReport, Prepared } from '../evidence.ts';
import { formatIncarnation, type Incarnation } from '../incarnation.ts';
import type { PromiseAsk, PromiseState } from '../promise.ts';
import type { GrantNote } from '../record.ts';
import { lookAt, type AgentReport } from './agent-report.ts';
import type { Persisted } from './agent-state.ts';
import type { Data, OwnVolume } from './data.ts';
import { EngineKeeper, type Stand } from './engine-keeper.ts';
import { ASYNCHRONOUS } from './engine-run.ts';
import { Guard } from './guard.ts';
import type { Container, Machine } from './kubelet.ts';
import { MemberTasks } from './member-tasks.ts';
import type { Host } from './network.ts';
import { Process } from './process.ts';
import { RightKeeping } from './right-keeping.ts';
import type { AgentBody, AgentWorld } from './agent-body.ts';
import type { Reply } from './work.ts';

/** Cluster manager to agent, over the stream that it opened. */
export interface Beat {
  cm: string;
  stamp?: CommandStamp;
  answer?: string;
}

/** Where a cluster manager hears reports. */
export interface Stream {
  cm: string;
  process: Process;
  host: Host;
  onReport: (report: AgentReport) => void;
}

interface OpenStream extends Stream {
  heardAt: number;
  echo?: CommandStamp;
}

/** Longest wake-up of the guard on a loaded host, ms. */
const GUARD_DELAY_MS = 150;
const LOOK_MS = 100;

/** One start of an agent with its guard and its engine: a container. */
export class Agent implements Container, AgentBody {
  readonly incarnation: Incarnation;
  readonly name: string;
  readonly note: GrantNote;
  readonly process: Process;
  readonly right: RightKeeping;
  readonly engine: EngineKeeper;
  readonly volume: OwnVolume;
  readonly world: AgentWorld;
  readonly host: Host;
  promise: PromiseState;
  stopped?: { epoch: number; at: string };
  prepared?: Prepared;
  /** Generation whose setting every process of the engine has read, and how far it had written then. */
  inEffect?: { generation: number; since: bigint };
  leaving = false;
  guard: Guard;
  readonly #machine: Machine;
  readonly #tasks: MemberTasks;
  readonly #streams = new Map<string, OpenStream>();
  #nonce = 0;

  constructor(
    world: AgentWorld,
    machine: Machine,
    options: { incarnation: Incarnation; note: GrantNote; volume: OwnVolume },
  ) {
    this.world = world;
    this.#machine = machine;
    this.host = machine.name;
    this.incarnation = options.incarnation;
    this.name = formatIncarnation(options.incarnation);
    this.note = options.note;
    this.volume = options.volume;
    this.process = new Process(world.time, machine.clock);
    const { process, name, host } = this;
    const { rules, clusterUid } = world;
    this.engine = new EngineKeeper({
      ...{ world, process, name, host, data: this.data },
      ...{ isStreaming: world.isStreaming, checksProc: rules.habits.checksProc, onExit: () => this.#onExit() },
    });
    this.guard = this.#newGuard();
    this.right = new RightKeeping({
      ...{ me: this.incarnation, clusterUid, host, process, api: world.api, rules, options: world.options },
      askPromise: (member, ask, promised) => this.#askPromise(member, ask, promised),
      tellGuard: until => this.guard.tell(until),
      onLost: () => this.#tasks.fence(),
      onRead: record => (this.promise = rules.onEpochKnown(this.promise, record.epoch, record.holder)),
    });
    const { member } = this.persisted;
    const epoch = member.highest?.epoch ?? 0;
    this.promise = { clusterUid, epoch, preparedEpoch: member.preparedEpoch ?? 0, promisedAt: this.now };
    this.#tasks = new MemberTasks(this);
    process.every(world.options.beatMs, 20, () => this.report());
    process.every(LOOK_MS, LOOK_MS, () => this.engine.noticeExit());
    this.#tasks.boot();
  }

  get isAlive(): boolean {
    return this.process.isAlive;
  }

  get data(): Data {
    return this.volume.data;
  }

  get persisted(): Persisted {
    return this.volume.persisted;
  }

  get now(): number {
    return this.process.clock.now;
  }

  /** What its engine goes by: synchronous replication by the last command. */
  get stand(): Stand {
    const { member, promotedWith } = this.persisted;
    const quorum = this.world.rules.habits.keepsGeneration ? member.quorum : (promotedWith ?? member.quorum);
    const epoch = this.world.rules.habits.numbersTimelines ? this.data.epoch : 0;
    if (!quorum) return { epoch, sync: ASYNCHRONOUS };
    const { generation, k } = quorum;
    return { epoch, sync: { generation, k, members: quorum.members.map(formatIncarnation) } };
  }

  get task(): HeardReport['task'] {
    return this.#tasks.work.task;
  }

  /** Does any cluster manager speak to it at present? */
  get hasManager(): boolean {
    return [...this.#streams.values()].some(it => this.now < it.heardAt + this.world.options.silentMs);
  }

  obey(command: Command, stamp: CommandStamp, reply: Reply): void {
    this.#tasks.obey(command, stamp, reply);
  }

  onBeat(stream: Stream, beat: Beat): void {
    const known = this.#streams.get(stream.cm);
    this.#streams.set(stream.cm, { ...stream, heardAt: this.now, echo: beat.stamp ?? known?.echo });
    if (beat.stamp) {
      this.right.onStamp(beat.stamp);
      this.promise = this.world.rules.onEpochKnown(this.promise, beat.stamp.epoch);
      if (beat.answer !== undefined) this.right.onAnswer(beat.answer, beat.stamp);
    }
    if (!known) this.report();
  }

  /** Tells every cluster manager that is there. */
  report(): void {
    for (const stream of this.#streams.values()) {
      if (this.now > stream.heardAt + 5000) this.#streams.delete(stream.cm);
      else this.#reportTo(stream);
    }
  }

  terminate(): void {
    this.process.run(() => {
      this.leaving = true;
      this.report();
    });
  }

  end(): void {
    if (!this.isAlive) return;
    this.world.tell(() => `${this.name} ends`);
    this.process.die();
    this.guard.process.die();
    this.engine.killAll();
    this.#machine.onEnd(this);
  }

  stop(reason: string): void {
    this.process.stop(reason);
    this.guard.process.stop(reason);
    this.engine.freeze(reason);
  }

  /** Which of them runs first after a thaw is chance. */
  continue(reason: string): void {
    const parts = [this.process, this.guard.process, { continue: (it: string) => this.engine.thaw(it) }];
    parts.sort(() => this.world.random.between(-1, 1)).forEach(it => it.continue(reason));
  }

  killGuard(): void {
    this.guard.process.die();
    this.process.after(this.world.random.between(1, 20), () => {
      this.guard = this.#newGuard();
      if (this.right.state.right) this.right.retell();
    });
  }

  #newGuard(): Guard {
    const { world } = this;
    const kill = (): void => {
      if (world.rules.habits.hasGuard) this.engine.killAll();
    };
    return new Guard(new Process(world.time, this.process.clock), kill, () => world.random.between(1, GUARD_DELAY_MS));
  }

  #onExit(): void {
    this.world.tell(() => `${this.name}: its engine has exited`);
    this.report();
    this.#tasks.onExit();
  }

  #askPromise(member: Incarnation, ask: PromiseAsk, promised: () => void): void {
    const { network } = this.world;
    const peer = this.world.agentOf(member);
    if (!peer) return;
    network.send(this.host, peer.host, peer.process, () => {
      const answer = this.world.rules.onPromiseAsked(peer.promise, ask, peer.now);
      peer.promise = answer.state;
      if (answer.promised) network.send(peer.host, this.host, this.process, promised);
    });
  }

  #reportTo(stream: OpenStream): void {
    const nonce = `${this.name} ${++this.#nonce}`;
    this.right.onSent(nonce);
    const report: AgentReport = { ...lookAt(this), nonce, echo: stream.echo };
    const channel = `${this.name}>${stream.cm}`;
    this.world.network.sendInOrder(channel, [this.host, stream.host], stream.process, () => stream.onReport(report));
  }

  /** Is that incarnation this one, by the rules? */
  isMe(incarnation: Incarnation): boolean {
    return this.world.rules.isMe(this.incarnation, incarnation);
  }
}
