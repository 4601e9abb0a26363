import { isDeepStrictEqual } from 'node:util';
import { AgentError } from '../agent-api/errors.ts';
import type { QuorumRequest } from '../agent-api/requests.ts';
import type { ApiUpstream, Command } from '../agent-api/schemas.ts';
import type { Prepared, Quorum } from '../agent-api/state.ts';
import type { EngineProfile, LogEnd, Upstream } from '../engine/profile.ts';
import { Turns } from '../engine/turns.ts';
import { formatIncarnation, parseIncarnation, type Incarnation } from '../ha/incarnation.ts';
import { takePrepare, takeQuorum, type QuorumSetting, type Taken } from '../ha/member.ts';
import type { GroupRecord } from '../ha/record.ts';
import type { Promises } from './promises.ts';
import type { RightKeeper } from './right-keeper.ts';
import type { Persisted, Plan, StateStore } from './state-store.ts';
import type { Supervisor } from './supervisor.ts';

/** Where this member's log ended when it was cut for this epoch; nothing of it on a member without a log of its own. */
export interface PreparedPosition extends Partial<LogEnd> {
  epoch: number;
}

/** What is proven in force in the engine that runs now. */
export interface QuorumInForce {
  generation: number;
  setting: QuorumSetting;
  since: string | undefined;
}

export interface ReplicationParts {
  profile: EngineProfile;
  store: StateStore;
  supervisor: Supervisor;
  right: RightKeeper;
  promises: Promises;
  completeUpstream: (upstream: ApiUpstream) => Promise<Upstream>;
  /** Takes the password for the upstream away: no new receiver can connect. */
  removePassFile: () => Promise<void>;
}

/** Cutting waits for the replay of what the log holds; a caller asks again. */
const CUT_LIMIT_MS = 5_000;

/** Position and synchronous commits of one member: what it persisted of them, and what its engine does. */
export class Replication {
  readonly #parts: ReplicationParts;
  #prepared: PreparedPosition | undefined;
  #inForce: QuorumInForce | undefined;
  /** Generation that stands in the files of the running engine. */
  #staged: number | undefined;
  readonly #turns = new Turns();
  /** Gives and takes the password and the upstream. */
  readonly #coupling = new Turns();

  constructor(parts: ReplicationParts) {
    this.#parts = parts;
  }

  get prepared(): PreparedPosition | undefined {
    return this.#prepared;
  }

  get inForce(): QuorumInForce | undefined {
    return this.#inForce;
  }

  /** What `prepare` makes durable before anything is cut: nor may a restart connect to the former RW again. */
  takePrepare(command: Command, { plan, ...now }: Readonly<Persisted>): Partial<Persisted> {
    if (plan.role === 'rw') throw new AgentError('WrongRole', 'this is the RW: demote it first');
    const { preparedEpoch } = accepted(takePrepare(now, command));
    return { preparedEpoch, plan: this.#hasOwnLog ? { role: plan.role } : plan };
  }

  /** After `takePrepare` is durable. */
  async prepare({ epoch }: Command): Promise<Prepared> {
    const { promises } = this.#parts;
    promises.prepared(epoch);
    if (this.#prepared?.epoch !== epoch) this.#prepared = { epoch, ...(await this.#cut()) };
    return { ...this.#prepared, promiseAgeMs: promises.ageMs };
  }

  /**
   * Points the running follower at the upstream of `plan`, unless it was cut since that was written down: what it tells of
   * its position is true only while it follows nobody.
   * @throws AgentError `Interrupted`
   */
  async follow(plan: Plan, upstream: ApiUpstream): Promise<void> {
    const { store, profile, completeUpstream } = this.#parts;
    const begun = await this.#coupling.take(async () => {
      if (!isDeepStrictEqual(store.now.plan, plan)) throw new AgentError('Interrupted', 'it was cut meanwhile');
      // A cut that begins from here on takes away what this writes.
      return { following: profile.follow(await completeUpstream(upstream)) };
    });
    await begun.following;
  }

  /** It has an upstream again, or none any more because it is RW or stopped. */
  forgetPosition(): void {
    this.#prepared = undefined;
  }

  takeQuorum(body: QuorumRequest, now: Readonly<Persisted>): Partial<Persisted> {
    const { quorum } = accepted(takeQuorum(now, body.command, settingOf(body)));
    return { quorum: quorum && { ...quorum, members: [...quorum.members] } };
  }

  /** After `takeQuorum` is durable. The right hears of new members before the engine does (ha/right.ts). */
  async quorum({ command }: QuorumRequest): Promise<Quorum> {
    const { store, right, supervisor } = this.#parts;
    const wanted = store.now.quorum!;
    right.commanded({ epoch: command.epoch, generation: wanted.generation, members: wanted.members });
    if (supervisor.state.phase === 'running') await (store.now.plan.role === 'rw' ? this.prove() : this.stage());
    const { generation, members, k } = wanted;
    const isInEffect = this.#inForce?.generation === generation;
    const since = isInEffect ? this.#inForce?.since : undefined;
    return { generation, members: members.map(formatIncarnation), k, isInEffect, since };
  }

  /** The record's (E, k), unless something newer was commanded: an RW never begins with less than what is recorded. */
  recorded({ epoch, generation, members, k }: GroupRecord, { quorum: known }: Readonly<Persisted>): Partial<Persisted> {
    if (known ? known.generation >= generation : members.length === 0) return {};
    return { quorum: { epoch, generation, members: members.map(it => it.incarnation), k } };
  }

  /** The engine ends. */
  forgetProof(): void {
    this.#inForce = undefined;
    this.#staged = undefined;
  }

  /** A new engine process begins with the newest setting; nothing is proven of it yet. */
  launching(): ReturnType<typeof asNames> | undefined {
    this.forgetProof();
    const { quorum } = this.#parts.store.now;
    this.#staged = quorum?.generation;
    return quorum && asNames(quorum);
  }

  /** The running engine has the newest setting in its files, for the time when it is RW. */
  stage(): Promise<void> {
    return this.#inTurn(async quorum => {
      if (this.#staged === quorum.generation) return;
      await this.#parts.profile.setQuorum({ setting: asNames(quorum) });
      this.#staged = quorum.generation;
    });
  }

  /** The running RW goes by the newest setting, in all its processes. */
  prove(): Promise<void> {
    return this.#inTurn(async quorum => {
      const { generation } = quorum;
      if (this.#inForce?.generation === generation) return;
      const former = this.#inForce && asNames(this.#inForce.setting);
      // Until it is proven anew, nothing is.
      this.forgetProof();
      const since = await this.#parts.profile.setQuorum({ setting: asNames(quorum), ...(former && { former }) });
      if (since !== undefined) this.#inForce = { generation, setting: quorum, since };
    });
  }

  get #hasOwnLog(): boolean {
    return this.#parts.profile.topology === 'local';
  }

  async #cut(): Promise<LogEnd | undefined> {
    const { profile, store, supervisor, removePassFile } = this.#parts;
    if (!this.#hasOwnLog || store.now.plan.role === 'stopped') return undefined;
    if (supervisor.state.phase !== 'running') throw new AgentError('EngineNotRunning', 'the engine does not run');
    await this.#coupling.take(removePassFile);
    return profile.cut(AbortSignal.timeout(CUT_LIMIT_MS));
  }

  /** One change at a time, and each of what is newest when its turn comes: an older one never lands later. */
  #inTurn(act: (quorum: NonNullable<Persisted['quorum']>) => Promise<void>): Promise<void> {
    return this.#turns.take(async () => {
      const { quorum } = this.#parts.store.now;
      if (quorum) await act(quorum);
    });
  }
}

function settingOf({ generation, members, k }: QuorumRequest): Omit<QuorumSetting, 'epoch'> {
  if (k > members.length) throw new AgentError('InvalidRequest', `k: ${members.length} members`, { field: 'k' });
  return { generation, members: members.map(parsed), k };
}

function parsed(text: string): Incarnation {
  const incarnation = parseIncarnation(text);
  if (!incarnation)
    throw new AgentError('InvalidRequest', `members: "${text}" is no incarnation`, { field: 'members' });
  return incarnation;
}

function accepted(taken: Taken): Extract<Taken, { accepted: true }>['state'] {
  if (taken.accepted) return taken.state;
  if (taken.reason !== 'StaleGeneration') throw new AgentError(taken.reason, 'the command is of the past or of others');
  throw new AgentError(
    'StaleCommand',
    'a higher generation of the setting, or another setting of this one, was obeyed',
  );
}

const asNames = ({ members, k }: Pick<QuorumSetting, 'members' | 'k'>) => ({
  members: members.map(formatIncarnation),
  k,
});
