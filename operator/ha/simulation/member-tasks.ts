import { bootVerdict, mayInitialize } from '../boot.ts';
import type { Command } from '../action.ts';
import type { CommandStamp } from '../command.ts';
import type { HeardReport } from '../evidence.ts';
import type { MemberState, Taken } from '../member.ts';
import type { GroupRecord } from '../record.ts';
import { isSameIncarnation, type Incarnation } from '../incarnation.ts';
import type { Agent } from './agent.ts';
import type { Plan } from './agent-state.ts';
import { copyData, lsnOf, timelineOf } from './data.ts';
import type { EngineRun } from './engine-run.ts';

export interface Outcome {
  state: 'done' | 'failed';
  code?: string;
}
export type Reply = (outcome: Outcome) => void;

type Follow = Extract<Command, { do: 'follow' }>;
type Quorum = Extract<Command, { do: 'quorum' }>;

const SYNC_MS = 5;
const CHECKPOINT_MS = 60;
const COPY_MS = 800;
const RESTART_MS = 1000;

/** What one member can be made to do: the agent's side of each command, durable before it is obeyed. */
export class MemberTasks {
  task?: HeardReport['task'];
  readonly #agent: Agent;
  /** Long work under way is given up when this changes. */
  #work = 0;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  /** A follower goes on by itself; an RW stays stopped until this incarnation is granted. */
  boot(): void {
    const { persisted, data } = this.#agent;
    if (persisted.plan.role === 'rw') this.#save({ plan: { role: 'stopped' } });
    if (persisted.plan.role === 'ro' && data.state === 'initialized' && !data.rewinding) this.#startFollower();
  }

  obey(command: Command, stamp: CommandStamp, reply: Reply): void {
    if (!this.#agent.isMe(command.on)) {
      reply(failed('WrongIncarnation'));
      return;
    }
    const taken = this.#take(command, stamp);
    if (!taken.accepted) {
      reply(failed(taken.reason));
      return;
    }
    if (command.do !== 'demote' && this.task?.state === 'running') {
      reply(failed('Busy'));
      return;
    }
    const isDemotion = command.do === 'demote';
    if (isDemotion) this.#abort();
    const change = isDemotion ? { demotedEpoch: stamp.epoch, plan: { role: 'stopped' as const } } : {};
    const { right } = this.#agent;
    if (command.do === 'quorum') right.onQuorum({ ...command, epoch: stamp.epoch });
    this.#save({ ...change, member: taken.state }, () => {
      right.onStamp(stamp);
      this.#do(command, stamp, reply);
    });
  }

  /** The right has ended: everything dies; the demotion is written down, then it is proven. */
  fence(): void {
    const { right, persisted } = this.#agent;
    this.#abort();
    const epoch = Math.max(right.state.epoch, persisted.member.highest?.epoch ?? 0, persisted.demotedEpoch);
    this.#agent.engine.stop('kill', () => undefined);
    this.#save({ demotedEpoch: epoch, plan: { role: 'stopped' } }, () => this.#stop('kill', epoch, () => undefined));
  }

  /** A dead engine is held down until told; without anybody to tell it comes back by itself. */
  onExit(): void {
    const { agent } = { agent: this.#agent };
    const { role } = agent.persisted.plan;
    if (role === 'ro') agent.process.after(RESTART_MS, () => this.#restartFollower());
    if (role === 'rw') agent.process.after(RESTART_MS, () => this.#restartAlone());
  }

  #restartFollower(): void {
    const { engine, persisted } = this.#agent;
    if (engine.state === 'crashed' && persisted.plan.role === 'ro') this.#startFollower();
  }

  #restartAlone(): void {
    const { engine, persisted, right, hasManager } = this.#agent;
    if (engine.state !== 'crashed' || persisted.plan.role !== 'rw') return;
    if (hasManager || !right.isHeld) this.#agent.process.after(RESTART_MS, () => this.#restartAlone());
    else this.#startRw();
  }

  #take(command: Command, stamp: CommandStamp): Taken {
    const { rules } = this.#agent.world;
    const { member } = this.#agent.persisted;
    if (command.do === 'prepare') return rules.takePrepare(member, stamp);
    if (command.do === 'quorum') {
      const { generation, members, k } = command;
      return rules.takeQuorum(member, stamp, { generation, members, k });
    }
    const acceptance = rules.acceptCommand(member.highest, stamp);
    return acceptance.accepted ? { accepted: true, state: { ...member, highest: acceptance.highest } } : acceptance;
  }

  #do(command: Command, stamp: CommandStamp, reply: Reply): void {
    const done = (): void => {
      this.#agent.report();
      reply({ state: 'done' });
    };
    switch (command.do) {
      case 'demote':
        return this.#stop(command.mode, stamp.epoch, done);
      case 'promote':
        return this.#promote(reply, done);
      case 'prepare':
        return this.#prepare(stamp.epoch, done);
      case 'quorum':
        return this.#quorum(command, done);
      case 'follow':
        return this.#follow(command, reply, done);
      case 'initialize':
        return this.#initialize(reply, done);
      default:
        return this.#onRw(command.do, reply, done);
    }
  }

  #onRw(what: 'resume' | 'checkpoint' | 'verify' | 'slots', reply: Reply, done: () => void): void {
    const { engine, right, process, persisted } = this.#agent;
    if (persisted.plan.role !== 'rw') reply(failed('WrongRole'));
    else if (what === 'resume') {
      if (engine.state === 'crashed' && right.isHeld) this.#startRw(done);
      else reply(failed('NoRight'));
    } else if (!engine.isWriting) reply(failed('EngineNotRunning'));
    else process.after(what === 'checkpoint' ? CHECKPOINT_MS : 1, done);
  }

  #stop(mode: 'fast' | 'kill', epoch: number, done: () => void): void {
    const { engine, right, world } = this.#agent;
    engine.stop(mode, () => {
      right.release();
      this.#agent.stopped = { epoch, at: world.iso() };
      this.#agent.report();
      done();
    });
  }

  /** The record decides, read here and now; the command only says that it is worth a look. */
  #promote(reply: Reply, done: () => void): void {
    const { right, world } = this.#agent;
    const work = this.#begin('promote');
    if (!world.rules.habits.promoteNeedsRight) {
      this.#reign(undefined, () => this.#end(work, done));
      return;
    }
    right.read(record => {
      if (work !== this.#work) return;
      const objection = this.#objectionToReign(record);
      if (objection === undefined) return this.#reign(record, () => this.#end(work, done));
      this.#end(work, () => reply(failed(objection)));
    });
  }

  #objectionToReign(record: GroupRecord | undefined): string | undefined {
    const { incarnation, right, data } = this.#agent;
    if (!record?.holder || !isSameIncarnation(record.holder, incarnation) || !right.isHeld) return 'NoRight';
    const verdict = bootVerdict({ record, me: incarnation, volume: data });
    return verdict.run === 'rw' ? undefined : verdict.reason;
  }

  #reign(record: GroupRecord | undefined, done: () => void): void {
    const { data, engine, right } = this.#agent;
    data.epoch = Math.max(data.epoch, record?.epoch ?? 0);
    const work = this.#work;
    this.#save({ plan: { role: 'rw' }, member: this.#staged(record) }, () => {
      if (work !== this.#work) return;
      right.use();
      this.#agent.stopped = undefined;
      if (engine.isWriting) done();
      else if (engine.state === 'running') engine.promote(this.#agent.sync, this.#opened(done));
      else this.#startRw(done);
    });
  }

  /** What the record asks for, unless something newer was staged. */
  #staged(record: GroupRecord | undefined): MemberState {
    const { member } = this.#agent.persisted;
    if (!record) return member;
    const { epoch, generation, k } = record;
    const members = record.members.map(it => it.incarnation);
    const taken = this.#agent.world.rules.takeQuorum(member, member.highest ?? record, { generation, members, k });
    return taken.accepted ? { ...taken.state, quorum: { epoch, generation, members, k } } : member;
  }

  #startRw(done: () => void = () => undefined): void {
    const { engine, sync } = this.#agent;
    engine.start('rw', sync, this.#opened(done));
  }

  #opened(done: () => void): () => void {
    const { generation } = this.#agent.sync;
    return () => {
      this.#agent.inEffect = { generation, since: BigInt(lsnOf(this.#agent.data)) };
      this.#agent.report();
      done();
    };
  }

  #prepare(epoch: number, done: () => void): void {
    const agent = this.#agent;
    const { rules } = agent.world;
    agent.promise = rules.onPrepared(agent.promise, epoch);
    const look = (): void => {
      const isKnown = agent.engine.state === 'running';
      const at = { timeline: timelineOf(agent.data), lsn: BigInt(lsnOf(agent.data)) };
      agent.prepared = { epoch, ...(isKnown ? at : {}), promiseAgeMs: 0 };
    };
    const { prepares } = rules.habits;
    if (prepares !== 'cut, then report') look();
    if (prepares === 'report only') return done();
    agent.engine.cut(() => {
      if (prepares === 'cut, then report') look();
      done();
    });
  }

  #quorum({ generation }: Quorum, done: () => void): void {
    const agent = this.#agent;
    const { engine, sync } = agent;
    if (!engine.isWriting) return done();
    engine.run?.reload(sync, () => {
      agent.inEffect = { generation, since: BigInt(lsnOf(agent.data)) };
      done();
    });
  }

  #follow({ how, upstream }: Follow, reply: Reply, done: () => void): void {
    const { persisted, data, engine } = this.#agent;
    if (persisted.plan.role === 'rw') return reply(failed('WrongRole'));
    if (how !== 'start' && (engine.state !== 'stopped' || !upstream)) {
      if (how === 'rejoin' && upstream) return engine.stop('fast', () => this.#copy(upstream, reply, done));
      return reply(failed('WrongRole'));
    }
    if (how !== 'start') return this.#copy(upstream!, reply, done);
    if (this.#agent.world.isStreaming && (data.state !== 'initialized' || data.rewinding)) {
      return reply(failed('VolumeBlank'));
    }
    this.#save({ plan: followerOf(upstream) }, () => {
      this.#startFollower();
      done();
    });
  }

  /** A base backup, or a rewind whose end is the same: all of the upstream's history up to a moment. */
  #copy(upstream: Incarnation, reply: Reply, done: () => void): void {
    const { data, process, world } = this.#agent;
    const work = this.#begin('copy');
    if (data.state === 'initialized') data.rewinding = true;
    else data.state = 'partial';
    process.after(world.random.between(50, COPY_MS), () => {
      if (work !== this.#work) return;
      const from = this.#reachable(upstream);
      if (from) copyData(from.data, data);
      this.#end(work, from ? done : () => reply(failed('UpstreamUnreachable')));
    });
  }

  #reachable(upstream: Incarnation): EngineRun | undefined {
    const { world, host } = this.#agent;
    const run = world.addressOf(upstream.podUid)();
    const isLinked = run && world.network.leads(host, run.host) && world.network.leads(run.host, host);
    return isLinked && run.role === 'rw' && run.acceptsWrites ? run : undefined;
  }

  #startFollower(): void {
    const { engine, persisted, world } = this.#agent;
    const { upstreamPod } = persisted.plan;
    const address = upstreamPod === undefined ? undefined : world.addressOf(upstreamPod);
    if (engine.state === 'running') engine.follow(address);
    else engine.start('ro', this.#agent.sync, () => engine.follow(address));
  }

  #initialize(reply: Reply, done: () => void): void {
    const { right, data, world } = this.#agent;
    const work = this.#begin('initialize');
    right.read(record => {
      if (work !== this.#work) return;
      const may = record && (data.state === 'initialized' || mayInitialize(record, data));
      if (!may) return this.#end(work, () => reply(failed('NoRight')));
      if (data.state !== 'initialized') {
        Object.assign(data, { state: 'initialized', clusterUid: world.clusterUid, epoch: record.epoch });
        data.timelines = [{ id: 1, begin: 0 }];
      }
      this.#end(work, done);
    });
  }

  #begin(kind: string): number {
    this.task = { kind, state: 'running', phase: kind };
    return ++this.#work;
  }

  #end(work: number, then: () => void): void {
    if (work !== this.#work) return;
    this.task = this.task && { ...this.task, state: 'done' };
    then();
  }

  #abort(): void {
    this.#work++;
    this.task = this.task && { ...this.task, state: 'failed' };
  }

  /** What is believed is never ahead of what a crash would leave: the change comes first, and takes its time. */
  #save(change: Partial<Agent['persisted']>, then: () => void = () => undefined): void {
    const { volume, process, world } = this.#agent;
    volume.persisted = { ...volume.persisted, ...change };
    process.after(world.random.between(0.2, SYNC_MS), then);
  }
}

const failed = (code: string): Outcome => ({ state: 'failed', code });

const followerOf = (upstream: Incarnation | undefined): Plan => ({
  role: 'ro',
  ...(upstream && { upstreamPod: upstream.podUid }),
});
