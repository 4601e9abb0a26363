import { createHash } from 'node:crypto';
import { AgentError } from '../agent-api/errors.ts';
import type * as requests from '../agent-api/requests.ts';
import type { Command } from '../agent-api/schemas.ts';
import type {
  AgentState,
  CheckpointResult,
  MadeResult,
  Prepared,
  PromisesResult,
  Quorum,
  SettingsResult,
  SlotsResult,
  TaskState,
  VerifyResult,
} from '../agent-api/state.ts';
import { Turns } from '../engine/turns.ts';
import { acceptCommand } from '../ha/command.ts';
import type { Installation } from './installation.ts';
import type { Log } from './log.ts';
import type { Member } from './member.ts';
import type { RightKeeper } from './right-keeper.ts';
import { isOf, type Promises } from './promises.ts';
import type { Replication } from './replication.ts';
import type { Change, Persisted, StateStore } from './state-store.ts';
import type { Supervisor } from './supervisor.ts';
import type { TaskContext, Tasks } from './tasks.ts';

/** SQL work on a running RW (folder manage/). */
export interface Manage {
  account(request: requests.AccountRequest): Promise<MadeResult>;
  database(request: requests.DatabaseRequest): Promise<MadeResult>;
  slots(names: readonly string[], signal?: AbortSignal): Promise<SlotsResult>;
  checkpoint(waitMs: number): Promise<CheckpointResult>;
  verify(): Promise<VerifyResult>;
}

export interface AgentParts {
  clusterUid: string;
  incarnation: string;
  store: StateStore;
  tasks: Tasks;
  member: Member;
  installation: Installation;
  replication: Replication;
  promises: Promises;
  supervisor: Supervisor;
  right: RightKeeper;
  manage: Manage;
  /** Name of the cluster, as certificates of its instances begin. */
  cluster: string;
  /** Reports at once. */
  told: () => void;
  /** Looks at everything once. */
  state: () => Promise<AgentState>;
  log: Log;
}

/** What ends a start that waits. */
const RELIEVING: ReadonlySet<string> = new Set(['start', 'rejoin']);

type Asked = { command: Command; waitMs?: number };

/** The calls of the API: checks the command, keeps the highest one, and runs one thing at a time. */
export class Agent {
  readonly #parts: AgentParts;
  readonly #short = new Turns();
  readonly #moves = new Turns();
  #fences = 0;
  /** Stops and demotions taken. */
  #downs = 0;
  #fencing: Promise<void> = Promise.resolve();

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  state = (): Promise<AgentState> => this.#parts.state();

  install = (body: requests.InstallRequest): Promise<TaskState> =>
    this.#task(body.task.kind, body, context => this.#parts.installation.install(body, context));

  start = (body: requests.StartRequest): Promise<TaskState> =>
    this.#task('start', body, context => this.#parts.member.start(body, context));

  promote = (body: requests.PromoteRequest): Promise<TaskState> =>
    this.#task('promote', body, context => this.#parts.member.promote(body, context));

  restart = (body: requests.RestartRequest): Promise<TaskState> =>
    this.#task('restart', body, context => this.#parts.member.restart(body.mode ?? 'fast', context));

  resume = (body: requests.ResumeRequest): Promise<TaskState> =>
    this.#task('resume', body, context => this.#parts.member.resume(context));

  demote = (body: requests.DemoteRequest): Promise<TaskState> => this.#down('demote', body);

  stop = (body: requests.StopRequest): Promise<TaskState> => this.#down('stop', body);

  task = (requestId: string): TaskState => this.#parts.tasks.get(requestId);

  settings = (body: requests.SettingsRequest): Promise<SettingsResult> =>
    this.#quick(body.command, async () => {
      const { changed, needRestart } = await this.#parts.member.configure(body.settings);
      const { settingsHash } = this.#parts.store;
      return { changed: [...changed], needRestart: [...needRestart], settingsHash };
    });

  /** Moves of the RW wait for each other, never for other work: those below are short. */
  prepare = ({ command }: requests.PrepareRequest): Promise<Prepared> =>
    this.#move(async () => {
      const { replication, member } = this.#parts;
      this.#check(command);
      await this.#accept(command, now => replication.takePrepare(command, now));
      // Before it is: a cut that is not seen through has been begun, and the next start has to connect anew.
      member.uncoupled();
      return replication.prepare(command);
    });

  quorum = (body: requests.QuorumRequest): Promise<Quorum> =>
    this.#move(async () => {
      const { replication } = this.#parts;
      this.#check(body.command);
      await this.#accept(body.command, now => replication.takeQuorum(body, now));
      return replication.quorum(body);
    });

  checkpoint = async ({ command, waitMs }: requests.CheckpointRequest): Promise<CheckpointResult> => {
    await this.#accept(command);
    return this.#onRw(() => this.#parts.manage.checkpoint(waitMs ?? 0));
  };

  verify = async ({ command }: requests.VerifyRequest): Promise<VerifyResult> => {
    await this.#accept(command);
    return this.#onRw(() => this.#parts.manage.verify());
  };

  /** Asked by the agent of the RW: nothing is commanded, nothing is accepted. */
  promises = (body: requests.PromisesRequest, commonName: string): Promise<PromisesResult> => {
    if (!isOf(this.#parts.cluster, body.from, commonName)) {
      return Promise.reject(new AgentError('Forbidden', `"${commonName}" is not the instance of ${body.from}`));
    }
    return Promise.resolve(this.#parts.promises.asked(body));
  };

  /** Commits wait for the followers that need them: slots wait for nothing that may be waiting for a commit. */
  slots = (body: requests.SlotsRequest): Promise<SlotsResult> =>
    this.#move(async () => {
      await this.#accept(body.command);
      return this.#onRw(() => this.#parts.manage.slots(body.slots));
    });

  account = (body: requests.AccountRequest): Promise<MadeResult> =>
    this.#quick(body.command, () => this.#onRw(() => this.#parts.manage.account(body)));

  database = (body: requests.DatabaseRequest): Promise<MadeResult> =>
    this.#quick(body.command, () => this.#onRw(() => this.#parts.manage.database(body)));

  /** The right has ended: everything dies at once; then it is written down and proven. */
  fence(reason: string): Promise<void> {
    this.#fencing = this.#fence(reason);
    return this.#fencing;
  }

  async #fence(reason: string): Promise<void> {
    const { supervisor, tasks, store, right, member, log } = this.#parts;
    log.warn('self-fence', { reason });
    supervisor.stop('kill');
    tasks.abort(reason);
    await store.change(({ highest, demotedEpoch = 0 }) => ({
      demotedEpoch: Math.max(right.state.epoch, highest?.epoch ?? 0, demotedEpoch),
      plan: { role: 'stopped' },
    }));
    await tasks.idle();
    const id = `fence-${++this.#fences}`;
    tasks.begin({ id, kind: 'fence', fingerprint: id }, () => member.stop('kill'));
    await tasks.idle();
  }

  async #task(kind: string, body: Asked, work: (context: TaskContext) => Promise<void>): Promise<TaskState> {
    const { tasks } = this.#parts;
    const request = { id: body.command.requestId, kind, fingerprint: fingerprint(kind, body) };
    if (!tasks.known(request)) {
      const downs = this.#downs;
      if (tasks.isBusy) await this.#relieve(kind, body.command);
      await this.#accept(body.command);
      if (this.#downs !== downs) throw new AgentError('Interrupted', 'a stop or demote came in between');
      // A repeated call may have come while the command was written down.
      if (!tasks.known(request)) tasks.begin(request, work);
    }
    return tasks.settle(request.id, body.waitMs ?? 0);
  }

  /**
   * A follower that is started waits for what its upstream has; when that has gone, it waits for ever. Another upstream, or
   * other data, is what ends it.
   * @throws AgentError `Busy` while something else is done, or for something else
   */
  async #relieve(kind: string, command: Command): Promise<void> {
    const { tasks } = this.#parts;
    const running = tasks.latest?.kind ?? '';
    if (running !== 'start' || !RELIEVING.has(kind)) throw new AgentError('Busy', `task "${running}" runs`);
    this.#check(command);
    tasks.abort(`a ${kind} came in between`);
    await tasks.idle();
  }

  /** Stop and demote come before everything else. The promise is durable before anything is done. */
  async #down(kind: 'demote' | 'stop', body: requests.StopRequest): Promise<TaskState> {
    const { tasks, member, right } = this.#parts;
    const { command, mode } = body;
    const request = { id: command.requestId, kind, fingerprint: fingerprint(kind, body) };
    if (!tasks.known(request)) {
      this.#check(command);
      // First, so that what is under way, or about to begin, writes nothing behind the demotion.
      this.#downs++;
      tasks.abort(`a ${kind} came in between`);
      const demotion = ({ demotedEpoch = 0 }: Readonly<Persisted>): Partial<Persisted> => ({
        demotedEpoch: Math.max(command.epoch, demotedEpoch),
        plan: { role: 'stopped' },
      });
      await this.#accept(command, demotion, epoch => right.yielded(epoch));
      await tasks.idle();
      if (!tasks.known(request)) tasks.begin(request, () => member.stop(mode ?? 'fast'));
    }
    return tasks.settle(request.id, body.waitMs ?? 0);
  }

  #move<T>(work: () => Promise<T>): Promise<T> {
    return this.#moves.take(async () => {
      try {
        return await work();
      } finally {
        this.#parts.told();
      }
    });
  }

  /** Short calls wait for each other and are refused while a long one runs. */
  #quick<T>(command: Command, work: () => Promise<T>): Promise<T> {
    return this.#short.take(async () => {
      const { tasks } = this.#parts;
      if (tasks.isBusy) throw new AgentError('Busy', `task "${tasks.latest?.kind ?? ''}" runs`);
      await this.#accept(command);
      return work();
    });
  }

  async #onRw<T>(work: () => Promise<T>): Promise<T> {
    const { supervisor, store } = this.#parts;
    if (store.now.plan.role !== 'rw') throw new AgentError('WrongRole', 'this is not the RW');
    if (supervisor.state.phase !== 'running') throw new AgentError('EngineNotRunning', 'the engine does not run');
    return work();
  }

  #check(command: Command): void {
    const { clusterUid, incarnation, store } = this.#parts;
    if (command.clusterUid !== clusterUid) refuse('ForeignCluster', store.now);
    if (command.incarnation !== incarnation) {
      throw new AgentError('WrongIncarnation', `this is ${incarnation}`, { field: 'command.incarnation' });
    }
    const verdict = acceptCommand(store.now.highest, command);
    if (!verdict.accepted) refuse(verdict.reason, store.now);
  }

  async #accept(
    command: Command,
    change: Change = {},
    onRevoke = (epoch: number): void => this.#parts.right.revoked(epoch),
  ): Promise<void> {
    this.#check(command);
    const { store, right } = this.#parts;
    const { clusterUid, epoch, term, generation } = command;
    const refusal = await store.accept({ clusterUid, epoch, term, generation }, change);
    if (refusal) refuse(refusal, store.now);
    this.#parts.promises.epochKnown(epoch);
    // A higher epoch tells of a revoke, a higher generation of another (E, k): the right hears of both.
    onRevoke(epoch);
    if (right.isHeld && generation > right.state.generation) void right.renew();
    // What a command of a newer epoch asks for comes after the end of the older one.
    await this.#fencing;
  }
}

function refuse(reason: 'ForeignCluster' | 'StaleCommand', { highest }: Persisted): never {
  const message =
    reason === 'StaleCommand' ? 'a higher command was obeyed before' : 'the command is for another cluster';
  throw new AgentError(reason, message, { highest });
}

/** What was asked, without how long the caller waits for it. */
function fingerprint(kind: string, body: Asked): string {
  const text = JSON.stringify({ ...body, waitMs: undefined });
  return `${kind} ${createHash('sha256').update(text).digest('base64')}`;
}
