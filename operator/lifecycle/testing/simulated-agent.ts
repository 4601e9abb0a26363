import type { AgentClient } from '../../agent-api/client.ts';
import { AgentError, type AgentErrorCode } from '../../agent-api/errors.ts';
import { hashSettings } from '../../agent-api/hash.ts';
import type * as requests from '../../agent-api/requests.ts';
import type { Command } from '../../agent-api/schemas.ts';
import type { AgentState, MadeResult, SettingsResult, SlotsResult, TaskState } from '../../agent-api/state.ts';
import { bootVerdict } from '../../ha/boot.ts';
import { acceptCommand } from '../../ha/command.ts';
import { formatIncarnation } from '../../ha/incarnation.ts';
import type { GroupRecord } from '../../ha/record.ts';
import type { AgentParts, Persisted, SimulatedVolume } from './simulated-data.ts';
import { initialize, join } from './simulated-install.ts';
import { idle, SimulatedTasks, type Asked, type Work } from './simulated-tasks.ts';

type Role = AgentState['plan']['role'];

/**
 * Test only: an agent with an engine (stock PostgreSQL), in memory, that obeys and refuses as the real one does. A call
 * does what the real agent does before it answers; long work goes on with {@link step}, asked for or not.
 */
export class SimulatedAgent implements AgentClient {
  readonly incarnation: string;
  readonly #parts: AgentParts;
  readonly #bootedAt: string;
  readonly #tasks: SimulatedTasks;
  #process: AgentState['process']['state'] = 'stopped';
  #hasStreamed = false;

  constructor(parts: AgentParts) {
    this.incarnation = formatIncarnation(parts.incarnation);
    this.#parts = parts;
    this.#bootedAt = parts.around.now().toISOString();
    this.#tasks = new SimulatedTasks(parts.around.now);
    const { role } = this.#own.plan;
    // Another incarnation: an RW stays stopped until it is granted anew, a follower goes on.
    if (role === 'rw') this.#change({ plan: { role: 'stopped' } });
    else if (role !== 'stopped' && this.#serves(role) && this.#volume.state === 'initialized') this.#startEngine(role);
  }

  /** One unit of progress of whatever goes on. */
  async step(): Promise<void> {
    if (this.#process === 'starting') this.#process = 'running';
    this.#hasStreamed ||= this.#facts()?.streaming === true;
    await this.#tasks.step();
  }

  /** The container ends, and everything in it. */
  kill(): void {
    this.#stopEngine();
    this.#tasks.interrupt('the container has ended');
  }

  /** As the health port says it. */
  get isReady(): boolean {
    const { role } = this.#own.plan;
    if (role === 'stopped') return false;
    if (!this.#serves(role)) return true;
    return this.#process === 'running' && (role === 'rw' || this.#hasStreamed);
  }

  /** The system whose WAL it sends through this slot; undefined when it is no running RW with that slot. */
  feeds(slot: string): string | undefined {
    const { systemId, slots } = this.#parts.data;
    return this.#own.plan.role === 'rw' && this.#process === 'running' && slots.has(slot) ? systemId : undefined;
  }

  state = (): Promise<AgentState> => {
    const { config, incarnation } = this.#parts;
    const { highest, plan, settings } = this.#own;
    const isRw = plan.role === 'rw' && this.#process !== 'stopped';
    return answer({
      apiVersion: 1,
      incarnation: this.incarnation,
      bootedAt: this.#bootedAt,
      cluster: config.cluster,
      group: config.group,
      instanceId: incarnation.instanceId,
      engine: { name: config.dbType, version: '15.4' },
      highest,
      volume: this.#volume,
      plan,
      process: this.#describeProcess(),
      stopped: this.#stopped(),
      facts: this.#facts(),
      right: { holds: isRw, kind: isRw ? 'alone' : 'none', unbounded: isRw },
      task: this.#tasks.latest,
      settingsHash: hashSettings(settings),
    });
  };

  task = async (id: string): Promise<TaskState> => answer(this.#tasks.get(id));

  install = (body: requests.InstallRequest): Promise<TaskState> => {
    const { task, command } = body;
    const isIdle = (): undefined => this.#require(this.#process === 'stopped', 'WrongRole', 'the engine runs');
    const work =
      task.kind === 'initialize'
        ? initialize(this.#parts, command.epoch, () => this.#change({ settings: task.settings }))
        : join(this.#parts, command.epoch, task.upstream);
    return this.#task(task.kind, body, [isIdle, ...work]);
  };

  start = (body: requests.StartRequest): Promise<TaskState> => {
    const { role, upstream, settings } = body;
    const begin = (): 'over' | undefined => {
      this.#require(this.#own.plan.role !== 'rw', 'WrongRole', 'this is the RW: demote it first');
      if (this.#serves(role)) this.#require(this.#volume.state === 'initialized', 'VolumeBlank', 'no data');
      this.#change({ plan: { role, upstream }, settings });
      if (!this.#serves(role)) return 'over';
      if (this.#process === 'stopped') this.#startEngine(role);
      return undefined;
    };
    return this.#task('start', body, [begin, idle]);
  };

  promote = (body: requests.PromoteRequest): Promise<TaskState> => {
    const { config, incarnation: me, around, data } = this.#parts;
    let record: GroupRecord | undefined;
    const read = async (): Promise<undefined> => {
      record = await around.readRecord(config.record);
    };
    const reign = (): undefined => {
      const verdict = bootVerdict({ record, me, volume: this.#volume });
      this.#require(verdict.run === 'rw', 'NoRight', verdict.message);
      this.#require(this.#process === 'stopped', 'Refused', 'promotion of a running follower is not simulated');
      data.identity!.epoch = record!.epoch;
      this.#change({ plan: { role: 'rw' }, demotedEpoch: undefined, settings: body.settings ?? this.#own.settings });
      this.#startEngine('rw');
    };
    return this.#task('promote', body, [read, reign, idle]);
  };

  demote = (body: requests.DemoteRequest): Promise<TaskState> => this.#down('demote', body);
  stop = (body: requests.StopRequest): Promise<TaskState> => this.#down('stop', body);

  restart = (): Promise<TaskState> => Promise.reject(new AgentError('Refused', 'restart is not simulated'));

  settings = (body: requests.SettingsRequest): Promise<SettingsResult> =>
    this.#quick(body.command, () => {
      this.#change({ settings: body.settings });
      return { changed: [], needRestart: [], settingsHash: hashSettings(body.settings) };
    });

  slots = (body: requests.SlotsRequest): Promise<SlotsResult> =>
    this.#onRw(body.command, ({ slots }) => {
      const created = body.slots.filter(slot => !slots.has(slot));
      const dropped = [...slots].filter(slot => !body.slots.includes(slot));
      for (const slot of created) slots.add(slot);
      for (const slot of dropped) slots.delete(slot);
      return { created, dropped };
    });

  account = (body: requests.AccountRequest): Promise<MadeResult> =>
    this.#onRw(body.command, ({ accounts }) => {
      const created = !accounts.has(body.name);
      accounts.set(body.name, { password: body.password, level: body.level });
      return { created };
    });

  database = (body: requests.DatabaseRequest): Promise<MadeResult> =>
    this.#onRw(body.command, ({ accounts, databases }) => {
      this.#require(accounts.has(body.owner), 'Refused', `no account "${body.owner}"`);
      const created = !databases.has(body.name);
      databases.set(body.name, { owner: body.owner });
      return { created };
    });

  get #own(): Persisted {
    return this.#parts.own.persisted;
  }

  get #volume(): AgentState['volume'] {
    return this.#parts.data.state(this.#parts.config.cluster.uid);
  }

  /** On a shared volume of stock PostgreSQL only the RW runs an engine. */
  #serves(role: Role): boolean {
    return role === 'rw' || this.#parts.config.topology === 'local';
  }

  async #task(kind: string, body: Asked, work: Work): Promise<TaskState> {
    const known = this.#tasks.known(kind, body);
    if (known) return answer(known);
    this.#refuseBusy();
    this.#accept(body.command);
    return answer(this.#tasks.begin(kind, body, work));
  }

  /** Stop and demote come before everything else; the promise is kept before anything is done. */
  async #down(kind: 'demote' | 'stop', body: Asked): Promise<TaskState> {
    const known = this.#tasks.known(kind, body);
    if (known) return answer(known);
    const demotedEpoch = Math.max(body.command.epoch, this.#own.demotedEpoch ?? 0);
    this.#accept(body.command, { demotedEpoch, plan: { role: 'stopped' } });
    this.#tasks.interrupt(`a ${kind} came in between`);
    if (this.#process !== 'stopped') this.#process = 'stopping';
    return answer(this.#tasks.begin(kind, body, [idle, () => this.#stopEngine()]));
  }

  #onRw<T>(command: Command, work: (data: SimulatedVolume) => T): Promise<T> {
    return this.#quick(command, () => {
      this.#require(this.#own.plan.role === 'rw', 'WrongRole', 'this is not the RW');
      this.#require(this.#process === 'running', 'EngineNotRunning', 'the engine does not run');
      return work(this.#parts.data);
    });
  }

  async #quick<T>(command: Command, work: () => T): Promise<T> {
    this.#refuseBusy();
    this.#accept(command);
    return answer(work());
  }

  #refuseBusy(): void {
    this.#require(!this.#tasks.isBusy, 'Busy', `task "${this.#tasks.latest?.kind ?? ''}" runs`);
  }

  #accept(command: Command, change: Partial<Persisted> = {}): void {
    const { clusterUid, incarnation, epoch, term, generation } = command;
    this.#require(clusterUid === this.#parts.config.cluster.uid, 'ForeignCluster', 'for another cluster');
    this.#require(incarnation === this.incarnation, 'WrongIncarnation', `this is ${this.incarnation}`);
    const { highest } = this.#own;
    const verdict = acceptCommand(highest, { clusterUid, epoch, term, generation });
    if (!verdict.accepted) throw new AgentError(verdict.reason, 'a higher command was obeyed before', { highest });
    this.#change({ ...change, highest: verdict.highest });
  }

  #change(change: Partial<Persisted>): void {
    this.#parts.own.persisted = { ...this.#own, ...change };
  }

  #require(holds: boolean, code: AgentErrorCode, message: string): undefined {
    if (!holds) throw new AgentError(code, message);
  }

  #startEngine(role: Exclude<Role, 'stopped'>): void {
    const { around, data, config } = this.#parts;
    around.safety.engineStarts(this.incarnation, { volume: data, group: config.cluster.uid, role });
    this.#process = 'starting';
  }

  #stopEngine(): undefined {
    this.#parts.around.safety.engineEnds(this.incarnation);
    this.#process = 'stopped';
    this.#hasStreamed = false;
  }

  #describeProcess(): AgentState['process'] {
    const { role } = this.#own.plan;
    const isHeld = this.#process === 'stopped' && role !== 'stopped' && !this.#serves(role);
    return { state: isHeld ? 'held' : this.#process, ...(role !== 'stopped' && { role }) };
  }

  #stopped(): AgentState['stopped'] {
    const { demotedEpoch, plan } = this.#own;
    const isAtRest = this.#process === 'stopped' && plan.role !== 'rw' && !this.#tasks.isBusy;
    if (!isAtRest || demotedEpoch === undefined) return undefined;
    return { epoch: demotedEpoch, at: this.#parts.around.now().toISOString() };
  }

  #facts(): AgentState['facts'] {
    const { role, upstream } = this.#own.plan;
    if (this.#process !== 'running' || role === 'stopped') return undefined;
    if (role === 'rw') return { role, acceptsWrites: true, pendingRestart: [] };
    const rw = upstream && this.#parts.around.agentAt(upstream.address);
    const streaming = upstream !== undefined && rw?.feeds(upstream.slot) === this.#parts.data.systemId;
    return { role, acceptsWrites: false, streaming, pendingRestart: [] };
  }
}

/** Answers cross a wire: the caller never holds the agent's own objects. */
const answer = <T>(value: T): Promise<T> => Promise.resolve(JSON.parse(JSON.stringify(value)) as T);
