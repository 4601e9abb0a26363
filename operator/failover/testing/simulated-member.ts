import type { Beat, Report, Silent } from '../../agent-api/beat.ts';
import type { AgentEndpoint, MemberClient } from '../../agent-api/client.ts';
import { AgentError } from '../../agent-api/errors.ts';
import type { Command } from '../../agent-api/schemas.ts';
import type { Prepared, Quorum, TaskState } from '../../agent-api/state.ts';
import { acceptCommand, type CommandStamp } from '../../ha/command.ts';
import { formatIncarnation, type Incarnation } from '../../ha/incarnation.ts';
import type { Clock } from '../../kube/clock.ts';
import type { Agents, Stream, StreamEvents } from '../agents.ts';

/** What all members of a test share. */
export interface Around {
  clock: Clock;
  /** Who listens at this address. */
  at: (address: string) => SimulatedMember | undefined;
  clusterUid: string;
  /** What is on the volume that all share; its members stand ready, they do not stream. */
  shared?: { volume: Report['volume'] };
  /** How long an engine takes to start or stop, ms. */
  engineMs: number;
}

/** Limit of a try to reach an agent, ms. */
const PROBE_LIMIT_MS = 450;

type Engine = Report['engine'];
type Upstream = NonNullable<Report['plan']['upstream']>;

/**
 * Test only: an agent with its engine, as far as the cluster manager sees them. Of the protocol it knows that lower
 * commands are refused and that a member is one incarnation; what agents owe beyond that is tested with them.
 */
export class SimulatedMember {
  readonly incarnation: Incarnation;
  /** Names of the calls that it took, in their order. */
  readonly calls: string[] = [];
  engine: Engine = { state: 'stopped', acceptsWrites: false };
  isReachable = true;
  /** Only the way between it and the cluster manager is cut; other members reach it. */
  isCutFromManager = false;
  /** How often it tried to reach a silent RW. */
  probes = 0;
  /** The last answer to one of its reports, by a right of kind (a). */
  answeredAt: number | undefined;
  readonly #around: Around;
  readonly #streams = new Set<StreamEvents>();
  readonly #disk: { volume: Report['volume'] };
  #plan: Report['plan'] = { role: 'stopped' };
  #highest: CommandStamp | undefined;
  #demoted: { epoch: number } | undefined;
  #prepared: Prepared | undefined;
  #quorum: Quorum | undefined;
  #settingsHash: string | undefined;
  #timeline = 1;
  #echo: CommandStamp | undefined;
  #silent: Silent | undefined;
  #probe: Report['probe'];
  #nonce = 0;

  constructor(incarnation: Incarnation, around: Around) {
    this.incarnation = incarnation;
    this.#around = around;
    this.#disk = around.shared ?? { volume: { state: 'blank' } };
    this.#reportOn();
  }

  get #isHeard(): boolean {
    return this.isReachable && !this.isCutFromManager;
  }

  connect(events: StreamEvents): Stream | undefined {
    if (!this.#isHeard) return undefined;
    this.#streams.add(events);
    queueMicrotask(() => {
      events.opened();
      this.tell();
    });
    const close = (): void => {
      if (this.#streams.delete(events)) queueMicrotask(() => events.ended('closed'));
    };
    return { send: beat => this.#hear(beat), close };
  }

  /** The postmaster dies; the agent has killed what was left and tells it. */
  crash(): void {
    this.engine = { ...this.engine, state: 'crashed', acceptsWrites: false };
    this.tell();
  }

  tell(): void {
    if (!this.#isHeard) return;
    for (const stream of this.#streams) stream.report(this.#report());
  }

  /** Its WAL senders serve whoever follows it now. */
  client(): MemberClient {
    const task = (kind: string, run: (body: never) => Promise<void>) =>
      (async (body: { command: Command }): Promise<TaskState> => {
        this.#take(kind, body.command);
        await run(body as never);
        this.tell();
        return { id: body.command.requestId, kind, state: 'done', phase: '', startedAt: '' };
      }) as never;
    const quick = (kind: string, run: (body: never) => object) =>
      (async (body: { command: Command }): Promise<object> => {
        this.#take(kind, body.command);
        const result = await Promise.resolve(run(body as never));
        this.tell();
        return result;
      }) as never;
    return {
      install: task('install', ({ task: { upstream } }: { task: { upstream?: Upstream } }) => this.#install(upstream)),
      start: task('start', (body: { role: 'ro'; upstream?: Report['plan']['upstream']; settings: object }) =>
        this.#start(body.role, body.upstream),
      ),
      promote: task('promote', () => this.#promote()),
      resume: task('resume', () => this.#run('rw')),
      demote: task('demote', ({ command }: { command: Command }) => this.#demote(command.epoch)),
      prepare: quick('prepare', ({ command }: { command: Command }) => {
        this.#prepared = { epoch: command.epoch, timeline: this.#timeline, lsn: '0/100', promiseAgeMs: 60_000 };
        return this.#prepared;
      }),
      quorum: quick('quorum', ({ generation, members, k }: Omit<Quorum, 'isInEffect'>) => {
        this.#quorum = { generation, members, k, isInEffect: this.engine.role === 'rw', since: '0/100' };
        return this.#quorum;
      }),
      slots: quick('slots', () => ({ created: [], dropped: [] })),
      verify: quick('verify', () => ({ isWritten: this.engine.acceptsWrites, tookMs: 1 })),
      checkpoint: quick('checkpoint', () => ({ isDone: true })),
    } as unknown as MemberClient;
  }

  async #install(upstream: Upstream | undefined): Promise<void> {
    await this.#pause();
    this.#timeline = upstream ? (this.#around.at(upstream.address)?.timeline ?? 1) : 1;
    this.#disk.volume = {
      state: 'initialized',
      clusterUid: this.#around.clusterUid,
      epoch: upstream ? this.#highest?.epoch : 0,
      timeline: this.#timeline,
    };
  }

  get timeline(): number {
    return this.#timeline;
  }

  async #start(role: 'ro', upstream: Report['plan']['upstream']): Promise<void> {
    this.#plan = { role, ...(upstream && { upstream }) };
    this.#settingsHash = EMPTY_SETTINGS;
    if (this.#around.shared) this.engine = { state: 'held', role, acceptsWrites: false };
    else if (this.engine.state !== 'running') await this.#run(role);
    const rw = upstream && this.#around.at(upstream.address);
    this.#timeline = rw?.timeline ?? this.#timeline;
    rw?.tell();
  }

  async #promote(): Promise<void> {
    if (this.engine.state === 'running') this.#timeline++;
    this.#plan = { role: 'rw' };
    const holder = formatIncarnation(this.incarnation);
    this.#disk.volume = { ...this.#disk.volume, epoch: this.#highest?.epoch, holder };
    await this.#run('rw');
    if (this.#quorum) this.#quorum = { ...this.#quorum, isInEffect: true };
  }

  async #run(role: 'rw' | 'ro'): Promise<void> {
    this.engine = { state: 'starting', role, acceptsWrites: false };
    this.tell();
    await this.#pause();
    this.engine = { state: 'running', role, acceptsWrites: role === 'rw' };
  }

  async #demote(epoch: number): Promise<void> {
    this.#plan = { role: 'stopped' };
    await this.#pause();
    this.engine = { state: 'stopped', acceptsWrites: false };
    this.#demoted = { epoch };
  }

  #pause(): Promise<void> {
    return new Promise(resolve => this.#around.clock.after(this.#around.engineMs, resolve));
  }

  #take(kind: string, { clusterUid, incarnation, epoch, term, generation }: Command): void {
    if (!this.#isHeard) throw new AgentError('Unreachable', 'no answer');
    if (incarnation !== formatIncarnation(this.incarnation)) throw new AgentError('WrongIncarnation', incarnation);
    const acceptance = acceptCommand(this.#highest, { clusterUid, epoch, term, generation });
    if (!acceptance.accepted) throw new AgentError(acceptance.reason, 'a higher command was obeyed');
    this.#highest = acceptance.highest;
    this.calls.push(kind);
  }

  #hear(beat: Beat): void {
    if (!this.#isHeard) return;
    const isNews = JSON.stringify(beat.stamp) !== JSON.stringify(this.#echo);
    this.#echo = beat.stamp;
    if (beat.answer !== undefined) this.answeredAt = this.#around.clock.now();
    // The agent is told which record its next words are younger than.
    if (isNews) queueMicrotask(() => this.tell());
    this.#silent = beat.silent;
    if (beat.silent) this.#tryToReach(beat.silent);
    else this.#probe = undefined;
  }

  /** What is there answers at once; what is not is waited for. */
  #tryToReach({ incarnation, since, address }: Silent): void {
    this.probes++;
    const reached = this.#around.at(address)?.isReachable === true;
    this.#around.clock.after(reached ? 1 : PROBE_LIMIT_MS, () => {
      if (this.#silent?.since === since) this.#probe = { incarnation, since, reached };
      this.tell();
    });
  }

  #reportOn(): void {
    this.#around.clock.after(500, () => {
      this.tell();
      this.#reportOn();
    });
  }

  #report(): Report {
    const isFollower = this.#plan.role === 'ro' && this.engine.state === 'running';
    const rw = this.#plan.upstream && this.#around.at(this.#plan.upstream.address);
    const isServed = isFollower && rw?.engine.acceptsWrites === true && rw.isReachable;
    return {
      nonce: `n${++this.#nonce}`,
      echo: this.#echo,
      incarnation: formatIncarnation(this.incarnation),
      bootedAt: '',
      leaving: false,
      engine: { ...this.engine, timeline: this.#timeline, lsn: '0/100' },
      plan: this.#plan,
      ...(isFollower && { receiver: { streaming: isServed, upstreamAddress: this.#plan.upstream?.address } }),
      highest: this.#highest,
      ...(this.#demoted && {
        demotedEpoch: this.#demoted.epoch,
        stopped: { ...this.#demoted, at: this.#around.clock.date().toISOString() },
      }),
      prepared: this.#prepared,
      quorum: this.#quorum,
      ...(this.engine.acceptsWrites && { senders: this.#senders() }),
      volume: this.#disk.volume,
      right: { kind: 'none' },
      promiseAgeMs: 60_000,
      settingsHash: this.#settingsHash,
      probe: this.#probe,
    };
  }

  #senders(): NonNullable<Report['senders']> {
    const all = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].flatMap(address => this.#around.at(address) ?? []);
    const served = all.filter(it => it !== this && it.isReachable && it.isServedBy(this));
    return served.map(it => ({
      incarnation: formatIncarnation(it.incarnation),
      flushedLsn: '0/100',
      state: 'streaming',
    }));
  }

  isServedBy(rw: SimulatedMember): boolean {
    const { upstream, role } = this.#plan;
    return (
      role === 'ro' &&
      this.engine.state === 'running' &&
      upstream !== undefined &&
      this.#around.at(upstream.address) === rw
    );
  }
}

/** hashSettings of none. */
const EMPTY_SETTINGS = '4f53cda18c2baa0c';

/** Test only: the way to simulated members. */
export const simulatedAgents = (at: Around['at']): Agents => ({
  open: ({ address }: AgentEndpoint, events) => at(address)?.connect(events),
  client: ({ address }) => {
    const found = at(address);
    if (!found) throw new Error(`nobody at ${address}`);
    return found.client();
  },
});
