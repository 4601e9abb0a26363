import { mayInitialize } from '../boot.ts';
import type { Command } from '../action.ts';
import { formatIncarnation, parseIncarnation, type Incarnation } from '../incarnation.ts';
import type { AgentBody } from './agent-body.ts';
import { copyData, lsnOf, timelineOf } from './data.ts';
import type { EngineRun } from './engine-run.ts';
import { failed, type Reply, type Work } from './work.ts';

export type Follow = Extract<Command, { do: 'follow' }>;
export type Quorum = Extract<Command, { do: 'quorum' }>;

const COPY_MS = 800;
/** That an RW may write before its next word of who is writing. */
const ROWS_BEYOND = 20;
const RESTART_MS = 1000;

/** What a member does while it is not RW: gets its data, follows, prepares for a choice. */
export class Following {
  readonly #agent: AgentBody;
  readonly #work: Work;

  constructor(agent: AgentBody, work: Work) {
    this.#agent = agent;
    this.#work = work;
  }

  start(): void {
    const { engine, persisted, world, stand } = this.#agent;
    const upstream = parseIncarnation(persisted.plan.upstream ?? '');
    const address = upstream && world.addressOf(upstream.podUid);
    if (engine.state === 'running') engine.follow(address);
    else engine.start('ro', stand, () => engine.follow(address));
  }

  /** A follower that crashed comes back by itself. */
  restartLater(): void {
    this.#agent.process.after(RESTART_MS, () => {
      const { engine, persisted } = this.#agent;
      if (engine.state === 'crashed' && persisted.plan.role === 'ro') this.start();
    });
  }

  /** Cuts the receiver from the old RW, waits until it is cut, and only then looks how far it came. */
  prepare(epoch: number, reply: Reply, done: () => void): void {
    const agent = this.#agent;
    const { rules } = agent.world;
    agent.promise = rules.onPrepared(agent.promise, epoch);
    if (agent.engine.state === 'starting') {
      reply(failed('EngineNotRunning'));
      return;
    }
    const look = (): void => {
      const at = { timeline: timelineOf(agent.data), lsn: BigInt(lsnOf(agent.data)) };
      agent.prepared = { epoch, ...(agent.engine.state === 'running' ? at : {}), promiseAgeMs: 0 };
    };
    const { prepares } = rules.habits;
    const work = this.#work.begin('prepare');
    const end = (): void => this.#work.end(work, done);
    if (prepares !== 'cut, then report') look();
    if (prepares === 'report only') {
      end();
      return;
    }
    agent.engine.cut(() => {
      if (prepares === 'cut, then report') look();
      end();
    });
  }

  /** On the RW: done when it is in effect. On a follower it is staged for its promotion. */
  quorum({ generation }: Quorum, done: () => void): void {
    const agent = this.#agent;
    const { engine, stand } = agent;
    if (!engine.isWriting) {
      done();
      return;
    }
    engine.run?.reload(stand.sync, () => {
      agent.inEffect = { generation, since: BigInt(lsnOf(agent.data)) };
      done();
    });
  }

  follow(command: Follow, reply: Reply, done: () => void): void {
    const objection = this.#objection(command);
    if (objection !== undefined) reply(failed(objection));
    else if (command.how === 'start') this.#startAs(command, done);
    else this.#agent.engine.stop('fast', () => this.#copy(command, reply, done));
  }

  restart(done: () => void): void {
    const { engine } = this.#agent;
    engine.stop('fast', () => {
      this.start();
      done();
    });
  }

  initialize(reply: Reply, done: () => void): void {
    const { right, data, world } = this.#agent;
    const work = this.#work.begin('initialize');
    right.read(record => {
      if (!this.#work.isCurrent(work)) return;
      const isDone = data.state === 'initialized';
      if (!isDone && record && mayInitialize(record, data)) {
        Object.assign(data, { state: 'initialized', clusterUid: world.clusterUid });
        data.timelines = [{ id: 1, begin: 0 }];
      }
      this.#work.end(work, data.state === 'initialized' ? done : () => reply(failed('NoRight')));
    });
  }

  #objection({ how, upstream }: Follow): string | undefined {
    const { persisted, data, engine, world } = this.#agent;
    if (persisted.plan.role === 'rw') return 'WrongRole';
    if (how === 'start') return world.isStreaming && data.state !== 'initialized' ? 'NoData' : undefined;
    if (how === 'join' && (engine.state !== 'stopped' || data.state === 'initialized')) return 'WrongRole';
    return upstream ? undefined : 'NoUpstream';
  }

  #startAs({ upstream }: Follow, done: () => void): void {
    this.#work.save({ plan: { role: 'ro', ...(upstream && { upstream: formatIncarnation(upstream) }) } }, () => {
      this.start();
      done();
    });
  }

  /** A base backup, or a rewind whose end is the same: all of the upstream's history up to a moment. */
  #copy({ upstream, how }: Follow, reply: Reply, done: () => void): void {
    const { data, process, world } = this.#agent;
    const work = this.#work.begin(how);
    data.state = 'partial';
    process.after(world.random.between(50, COPY_MS), () => {
      if (!this.#work.isCurrent(work)) return;
      const from = upstream && this.#reachable(upstream);
      if (from) copyData(from.data, data, Math.floor(world.random.between(0, ROWS_BEYOND)));
      this.#work.end(work, from ? done : () => reply(failed('UpstreamUnreachable')));
    });
  }

  #reachable(upstream: Incarnation): EngineRun | undefined {
    const { world, host } = this.#agent;
    const run = world.addressOf(upstream.podUid)();
    const isLinked = run && world.network.leads(host, run.host) && world.network.leads(run.host, host);
    return isLinked && run.role === 'rw' && run.acceptsWrites ? run : undefined;
  }
}
