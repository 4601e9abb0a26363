import type { Beat, Report } from '../../../operator/agent-api/beat.ts';
import type { MemberClient } from '../../../operator/agent-api/client.ts';
import { AgentError } from '../../../operator/agent-api/errors.ts';
import { hashSettings } from '../../../operator/agent-api/hash.ts';
import type {
  InstallRequest,
  PromoteRequest,
  QuorumRequest,
  StartRequest,
} from '../../../operator/agent-api/requests.ts';
import type { Command } from '../../../operator/agent-api/schemas.ts';
import type { Prepared, TaskState } from '../../../operator/agent-api/state.ts';
import type { Stream, StreamEvents } from '../../../operator/failover/agents.ts';
import { acceptCommand, type CommandStamp } from '../../../operator/ha/command.ts';
import { formatIncarnation, type Incarnation } from '../../../operator/ha/incarnation.ts';
import type { Clock } from '../../../operator/kube/clock.ts';
import type { SimulatedVolume } from '../../../operator/lifecycle/testing/simulated-data.ts';
import { OperatorCalls, type MemberParts } from '../../../operator/lifecycle/testing/simulated-member.ts';
import { identityOf, keptOn, type Kept } from './engine-data.ts';

/** How long an engine takes to start or stop, and a copy to be made, ms. */
const ENGINE_MS = 150;
const REPORT_MS = 500;
/** All positions are equal here: who may be granted is tested with the decisions. */
const LSN = '0/100';

export interface Around {
  clock: Clock;
  at: (address: string) => ManagedMember | undefined;
  all: () => readonly ManagedMember[];
}

/**
 * Test only: an agent with its engine on a volume that outlives it, as the real cluster manager sees it. It refuses lower
 * commands, remembers what it was told, and a safety watch sees every engine that it starts.
 */
export class ManagedMember extends OperatorCalls {
  readonly #parts: MemberParts;
  readonly #around: Around;
  readonly #streams = new Set<StreamEvents>();
  #engine: Report['engine'] = { state: 'stopped', acceptsWrites: false };
  #prepared: Prepared | undefined;
  #echo: CommandStamp | undefined;
  #isGone = false;
  #nonce = 0;

  constructor(parts: MemberParts, around: Around) {
    super(parts);
    this.#parts = parts;
    this.#around = around;
    const { role } = this.#kept.plan;
    // Another incarnation: an RW stays stopped until it is granted anew, a follower goes on.
    if (role === 'rw') this.#kept.plan = { role: 'stopped' };
    else if (role === 'ro' && this.data.clusterUid !== undefined) void this.#follow();
    this.#reportOn();
  }

  get isReady(): boolean {
    const { role } = this.#kept.plan;
    return role === 'rw' ? this.#engine.acceptsWrites : role === 'ro' && (this.#isHeld || this.isStreaming);
  }

  protected get isRw(): boolean {
    return this.#kept.plan.role === 'rw' && this.#engine.acceptsWrites;
  }

  /** Does it serve WAL of this timeline? */
  feeds(timeline: number): boolean {
    return this.isRw && identityOf(this.data).timeline === timeline;
  }

  get isStreaming(): boolean {
    return this.#engine.state === 'running' && this.#rw?.feeds(identityOf(this.data).timeline) === true;
  }

  /** The container ends, and everything in it. */
  stop(): void {
    this.#isGone = true;
    this.#end();
    for (const stream of [...this.#streams]) stream.ended('the container has ended');
    this.#streams.clear();
  }

  connect(events: StreamEvents): Stream {
    this.#streams.add(events);
    queueMicrotask(() => {
      events.opened();
      this.tell();
    });
    return { send: beat => this.#hear(beat), close: () => void this.#streams.delete(events) };
  }

  tell(): void {
    for (const stream of this.#streams) stream.report(this.#report());
  }

  client(): MemberClient {
    const task = (kind: string, run: (body: never) => Promise<void>) =>
      (async (body: { command: Command }): Promise<TaskState> => {
        this.#take(body.command);
        await run(body as never);
        if (this.#isGone) throw new AgentError('Unreachable', 'the container has ended');
        this.tell();
        return { id: body.command.requestId, kind, state: 'done', phase: '', startedAt: '' };
      }) as never;
    const quick = (run: (body: never) => object) =>
      ((body: { command: Command }): Promise<object> => {
        this.#take(body.command);
        const result = run(body as never);
        this.tell();
        return Promise.resolve(result);
      }) as never;
    return {
      install: task('install', (body: InstallRequest) => this.#install(body)),
      start: task('start', (body: StartRequest) => this.#start(body)),
      promote: task('promote', (body: PromoteRequest) => this.#promote(body)),
      resume: task('resume', () => this.#run('rw')),
      demote: task('demote', ({ command }: { command: Command }) => this.#demote(command.epoch)),
      prepare: quick(({ command }: { command: Command }) => this.#prepare(command.epoch)),
      quorum: quick(({ generation, members, k }: QuorumRequest) => {
        this.#kept.quorum = { generation, members, k, isInEffect: this.isRw, since: LSN };
        return this.#kept.quorum;
      }),
      slots: quick(() => ({ created: [], dropped: [] })),
      verify: quick(() => ({ isWritten: this.isRw, tookMs: 1 })),
      checkpoint: quick(() => ({ isDone: true })),
    } as unknown as MemberClient;
  }

  get #kept(): Kept {
    return keptOn(this.#parts.own);
  }

  /** On a shared volume of stock PostgreSQL a follower stands ready without an engine. */
  get #isHeld(): boolean {
    return this.#kept.plan.role === 'ro' && this.#parts.config.topology === 'share';
  }

  get #rw(): ManagedMember | undefined {
    const address = this.#kept.plan.upstream?.address;
    return address === undefined ? undefined : this.#around.at(address);
  }

  async #install({ task, command }: InstallRequest): Promise<void> {
    await this.#pause();
    if (this.#isGone) return;
    const identity = identityOf(this.data);
    identity.epoch = task.kind === 'initialize' ? 0 : command.epoch;
    if (task.kind === 'initialize') {
      if (this.data.clusterUid === undefined) this.initialize();
      this.#kept.settingsHash = hashSettings(task.settings);
      return;
    }
    const rw = this.#around.at(task.upstream.address);
    if (!rw?.isRw) throw new AgentError('EngineFailed', `no RW at ${task.upstream.address}`);
    this.copyFrom(rw);
    identity.timeline = identityOf(rw.data).timeline;
  }

  async #start({ role, upstream, settings }: StartRequest): Promise<void> {
    this.#kept.plan = { role, ...(upstream && { upstream }) };
    this.#kept.settingsHash = hashSettings(settings);
    await this.#follow();
    this.#rw?.tell();
  }

  async #follow(): Promise<void> {
    if (!this.#isHeld && this.#engine.state === 'stopped') await this.#run('ro');
    const rw = this.#rw;
    // It goes on along the RW's history, of which its own is a part here.
    if (rw?.isRw) identityOf(this.data).timeline = identityOf(rw.data).timeline;
  }

  async #promote({ settings, command }: PromoteRequest): Promise<void> {
    const identity = identityOf(this.data);
    if (this.#engine.state === 'running') identity.timeline++;
    identity.epoch = command.epoch;
    this.#kept.plan = { role: 'rw' };
    this.#kept.demotedEpoch = undefined;
    if (settings) this.#kept.settingsHash = hashSettings(settings);
    await this.#run('rw');
    if (this.#kept.quorum) this.#kept.quorum = { ...this.#kept.quorum, isInEffect: true };
  }

  async #demote(epoch: number): Promise<void> {
    this.#kept.plan = { role: 'stopped' };
    this.#kept.demotedEpoch = epoch;
    await this.#pause();
    if (!this.#isGone) this.#end();
  }

  #prepare(epoch: number): Prepared {
    const { timeline } = identityOf(this.data);
    this.#prepared = { epoch, timeline, lsn: LSN, promiseAgeMs: 60_000 };
    return this.#prepared;
  }

  async #run(role: 'rw' | 'ro'): Promise<void> {
    this.endEngine();
    this.startEngine(role);
    this.#engine = { state: 'starting', role, acceptsWrites: false };
    this.tell();
    await this.#pause();
    // Stopped or ended meanwhile.
    if (this.#isGone || this.#kept.plan.role !== role) return;
    this.#engine = { state: 'running', role, acceptsWrites: role === 'rw' };
  }

  #end(): void {
    this.endEngine();
    this.#engine = { state: 'stopped', acceptsWrites: false };
  }

  #pause(): Promise<void> {
    return new Promise(resolve => this.#around.clock.after(ENGINE_MS, resolve));
  }

  #take({ clusterUid, incarnation, epoch, term, generation }: Command): void {
    if (this.#isGone) throw new AgentError('Unreachable', 'the container has ended');
    if (incarnation !== formatIncarnation(this.incarnation)) throw new AgentError('WrongIncarnation', incarnation);
    const acceptance = acceptCommand(this.#kept.highest, { clusterUid, epoch, term, generation });
    if (!acceptance.accepted) throw new AgentError(acceptance.reason, 'a higher command was obeyed');
    this.#kept.highest = acceptance.highest;
  }

  #hear({ stamp }: Beat): void {
    const isNews = JSON.stringify(stamp) !== JSON.stringify(this.#echo);
    this.#echo = stamp;
    // The agent is told which record its next words are younger than.
    if (isNews) queueMicrotask(() => this.tell());
  }

  #reportOn(): void {
    if (this.#isGone) return;
    this.tell();
    this.#around.clock.after(REPORT_MS, () => this.#reportOn());
  }

  #report(): Report {
    const { plan, highest, demotedEpoch, quorum, settingsHash } = this.#kept;
    const { timeline } = identityOf(this.data);
    const isDown = this.#engine.state === 'stopped' && plan.role === 'stopped' && demotedEpoch !== undefined;
    const follows = plan.role === 'ro' && this.#engine.state === 'running';
    return {
      nonce: `n${++this.#nonce}`,
      echo: this.#echo,
      incarnation: formatIncarnation(this.incarnation),
      bootedAt: '',
      leaving: false,
      engine: { ...this.#engine, ...(this.#isHeld && { state: 'held', role: 'ro' }), timeline, lsn: LSN },
      plan,
      ...(follows && { receiver: { streaming: this.isStreaming, upstreamAddress: plan.upstream?.address } }),
      highest,
      demotedEpoch,
      ...(isDown && { stopped: { epoch: demotedEpoch, at: this.#around.clock.date().toISOString() } }),
      prepared: this.#prepared,
      quorum,
      ...(this.isRw && { senders: this.#senders() }),
      volume: this.#volume(this.data),
      right: { kind: 'none' },
      promiseAgeMs: 60_000,
      settingsHash,
    };
  }

  #volume(data: SimulatedVolume): Report['volume'] {
    if (data.clusterUid === undefined) return { state: 'blank' };
    if (this.isForeign) return { state: 'foreign' };
    return { state: 'initialized', clusterUid: data.clusterUid, ...identityOf(data) };
  }

  #senders(): NonNullable<Report['senders']> {
    const served = this.#around.all().filter(it => it !== this && it.isStreaming && it.#rw === this);
    return served.map(it => ({ incarnation: nameOf(it.incarnation), flushedLsn: LSN, state: 'streaming' }));
  }
}

const nameOf = (it: Incarnation): string => formatIncarnation(it);
