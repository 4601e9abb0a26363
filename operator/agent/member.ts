import { isDeepStrictEqual } from 'node:util';
import { AgentError, type AgentErrorCode } from '../agent-api/errors.ts';
import type { ApiUpstream, StopMode } from '../agent-api/schemas.ts';
import type { PromoteRequest, StartRequest } from '../agent-api/requests.ts';
import { bootVerdict, type BootReason } from '../ha/boot.ts';
import { formatIncarnation, type Incarnation } from '../ha/incarnation.ts';
import type { GroupRecord } from '../ha/record.ts';
import type { EngineProfile, Launch, Settings, Upstream } from '../engine/profile.ts';
import { messageOf, type Log } from './log.ts';
import type { ReadRecord } from './record-reader.ts';
import type { Replication } from './replication.ts';
import type { RightKeeper } from './right-keeper.ts';
import type { Plan, StateStore } from './state-store.ts';
import type { Phase } from './supervise.ts';
import type { Supervisor } from './supervisor.ts';
import type { TaskContext } from './tasks.ts';
import { FOREIGN, type Volume, type VolumeState } from './volume.ts';

export interface MemberParts {
  me: Incarnation;
  profile: EngineProfile;
  store: StateStore;
  volume: Volume;
  supervisor: Supervisor;
  right: RightKeeper;
  replication: Replication;
  read: ReadRecord;
  completeUpstream: (upstream: ApiUpstream) => Promise<Upstream>;
  /** Makes the slots of members be exactly these. @throws the signal's reason */
  makeSlots: (names: readonly string[], signal: AbortSignal) => Promise<unknown>;
  /** SIGKILL to everything but PID 1, agent and guard, until /proc proves it gone. */
  killEverythingElse: () => Promise<void>;
  /** Why no engine may run in this pod. */
  objection: string | undefined;
  limits: { promoteMs: number };
  log: Log;
}

/** What one member of a group can be made to do. Each method is the body of one task; none runs beside another. */
export class Member {
  readonly #parts: MemberParts;
  /** What the running engine was last told. */
  #applied: { plan: Plan; settings: Settings } | undefined;
  /** Of the grant by which this is the RW. */
  #epoch = 0;

  constructor(parts: MemberParts) {
    this.#parts = parts;
  }

  /**
   * What a fresh agent does by itself: a follower goes on, an RW stays stopped until it is granted anew, because this is
   * another incarnation (protocol, Boot).
   */
  async boot(): Promise<void> {
    const { store, profile, volume, supervisor, objection } = this.#parts;
    const { role } = store.now.plan;
    if (role === 'rw') await store.change({ plan: { role: 'stopped' } });
    if (role === 'stopped' || objection !== undefined || (await volume.state()).state !== 'initialized') return;
    if (role === 'rw') await profile.demote();
    // It may have been told something else by now.
    else if (store.now.plan.role === role && profile.serves(role)) supervisor.start();
  }

  /** What the supervisor asks right before each start, restarts after a crash included. */
  async launch(): Promise<Launch> {
    this.#requireSafePod();
    const { store, profile, volume, right, replication } = this.#parts;
    const { plan, settings } = store.now;
    if (plan.role === 'stopped') throw new AgentError('Interrupted', 'it shall not run any more');
    if (plan.role === 'rw' && !right.isHeld) throw new AgentError('NoRight', 'the right to run as RW has ended');
    requireData(await volume.state());
    const upstream = plan.upstream && (await this.#parts.completeUpstream(plan.upstream));
    const quorum = replication.launching();
    const launch = await profile.launch({ role: plan.role, upstream, settings, ...(quorum && { quorum }) });
    this.#applied = { plan, settings };
    return launch;
  }

  /**
   * Does the engine answer SQL, and an RW as one? Data that ended in recovery boots as a follower, whatever it was
   * started for: it is promoted before it counts as running.
   */
  async isReady(signal: AbortSignal): Promise<boolean> {
    const { profile } = this.#parts;
    if (this.#applied?.plan.role === 'rw') {
      await profile.promote(this.#epoch, signal);
      await this.#proveQuorum();
    } else await profile.observe(signal);
    return true;
  }

  async start({ command, role, upstream, settings }: StartRequest, { signal }: TaskContext): Promise<void> {
    const { store, profile, volume, supervisor, replication } = this.#parts;
    this.#requireSafePod();
    if (store.now.plan.role === 'rw') throw new AgentError('WrongRole', 'this is the RW: demote it first');
    const isServing = profile.serves(role);
    if (isServing) requireData(await volume.state());
    const plan = { role, upstream };
    await store.change(({ highest }) => {
      signal.throwIfAborted();
      // Whoever was asked for its position by then follows nobody of before.
      if (highest && highest.epoch > command.epoch) throw new AgentError('Interrupted', 'a newer epoch has begun');
      return { plan, settings };
    });
    replication.forgetPosition();
    if (!isServing) return;
    const { phase } = supervisor.state;
    if (COMING.includes(phase) && !isDeepStrictEqual(this.#applied?.plan, plan))
      return this.restart('fast', { signal });
    const wasUp = !['idle', 'waiting', 'holding'].includes(phase);
    await this.#run(signal);
    if (wasUp) await this.#adapt(plan, settings, signal);
  }

  /** The record decides, read here and now; the command only says that it is worth a look. */
  async promote({ settings, slots }: PromoteRequest, { report, signal }: TaskContext): Promise<void> {
    const { right, supervisor, profile, limits, replication } = this.#parts;
    this.#requireSafePod();
    const record = await right.acquire();
    try {
      await this.#beginReign(record, settings, signal);
    } catch (error) {
      if (this.#applied?.plan.role !== 'rw') right.release();
      throw error;
    }
    if (supervisor.state.phase !== 'running') {
      await this.#run(signal);
      // Launched for it, it counts as running only as RW; what was coming up as a follower is one now.
      if (this.#applied?.plan.role === 'rw') return;
    }
    const { settings: wanted } = this.#parts.store.now;
    if (!isDeepStrictEqual(this.#applied?.settings, wanted)) await this.configure(wanted);
    const slotsMade = slots && this.#makeSlotsAhead(slots, signal);
    await replication.stage().finally(() => slotsMade);
    await profile.promote(record.epoch, AbortSignal.any([signal, AbortSignal.timeout(limits.promoteMs)]));
    this.#applied = { plan: { role: 'rw' }, settings: this.#parts.store.now.settings };
    // Told at once: its first write and its followers need not wait for the proof.
    report({ phase: 'Proving' });
    await this.#proveQuorum();
  }

  /** A crashed RW that waits for word starts again, under its unbroken right. */
  async resume({ signal }: Pick<TaskContext, 'signal'>): Promise<void> {
    const { supervisor, store, right } = this.#parts;
    if (store.now.plan.role !== 'rw') throw new AgentError('WrongRole', 'this is not the RW');
    if (!right.isHeld) throw new AgentError('NoRight', 'the right to run as RW has ended');
    if (supervisor.state.phase !== 'running') await this.#run(signal);
  }

  /** The running follower was cut from its upstream. */
  uncoupled(): void {
    if (this.#applied) this.#applied = { ...this.#applied, plan: this.#parts.store.now.plan };
  }

  /** Stops in any case and ends with the proof. The demotion is durable before this begins. */
  async stop(mode: StopMode): Promise<void> {
    const { supervisor, profile, volume, right, replication, killEverythingElse } = this.#parts;
    supervisor.stop(mode);
    await supervisor.until(state => state.phase === 'idle', NEVER);
    await killEverythingElse();
    this.#applied = undefined;
    replication.forgetProof();
    replication.forgetPosition();
    right.release();
    // An engine that ran leaves its data initialized: it is looked at again later, when nobody waits for the proof.
    if ((await volume.state()).state === 'initialized') await profile.demote();
    volume.forget();
  }

  async restart(mode: StopMode, { signal }: Pick<TaskContext, 'signal'>): Promise<void> {
    const { supervisor, store, profile } = this.#parts;
    const { role } = store.now.plan;
    if (role === 'stopped') throw new AgentError('EngineNotRunning', 'it is stopped: start it');
    if (!profile.serves(role)) return;
    supervisor.stop(mode);
    await supervisor.until(state => state.phase === 'idle', signal);
    await this.#run(signal);
  }

  /** Takes settings into force as far as a reload can, and keeps them for the next start. */
  async configure(settings: Settings): Promise<{ changed: readonly string[]; needRestart: readonly string[] }> {
    const { store, profile, volume } = this.#parts;
    requireData(await volume.state());
    const result = await profile.configure(settings);
    await store.change({ settings });
    if (this.#applied) this.#applied = { ...this.#applied, settings };
    return result;
  }

  /**
   * Makes the running engine load renewed certificates; one that is started later takes them by itself.
   * @throws Error while it comes up: it may have read the former ones
   */
  async renewTls(): Promise<void> {
    const { supervisor, profile, store } = this.#parts;
    const { phase } = supervisor.state;
    if (COMING.includes(phase)) throw new Error('the engine comes up');
    if (phase === 'running') await profile.configure(store.now.settings);
  }

  #requireSafePod(): void {
    const { objection } = this.#parts;
    if (objection !== undefined) throw new AgentError('UnsafePod', objection);
  }

  /** An RW without them is an RW: they are asked for again once it is one. */
  async #makeSlotsAhead(names: readonly string[], signal: AbortSignal): Promise<void> {
    const { makeSlots, log } = this.#parts;
    await makeSlots(names, AbortSignal.any([signal, AbortSignal.timeout(SLOTS_MS)])).catch((error: unknown) => {
      log.warn('the slots of followers are not made before the promotion', { reason: messageOf(error) });
    });
  }

  /** An engine whose setting is not proven is up all the same; the report says so. */
  async #proveQuorum(): Promise<void> {
    const { replication, log } = this.#parts;
    await replication.prove().catch((error: unknown) => {
      log.warn('synchronous replication is not proven', { reason: messageOf(error) });
    });
  }

  /** From here on this member is the RW of the record's epoch, running or not. */
  async #beginReign(record: GroupRecord, settings: Settings | undefined, signal: AbortSignal): Promise<void> {
    const { me, volume, store, replication } = this.#parts;
    const verdict = bootVerdict({ record, me, volume: await volume.state() });
    if (verdict.run !== 'rw') throw new AgentError(CODES[verdict.reason] ?? 'NoRight', verdict.message);
    await volume.raiseEpoch(record.epoch, formatIncarnation(me));
    volume.forget();
    const begun = { plan: { role: 'rw' } as const, demotedEpoch: undefined, rewound: undefined };
    await store.change(now => {
      // A demotion that came in between is not to be overwritten.
      signal.throwIfAborted();
      return { ...begun, ...(settings && { settings }), ...replication.recorded(record, now) };
    });
    this.#epoch = record.epoch;
  }

  async #adapt(plan: Plan, settings: Settings, signal: AbortSignal): Promise<void> {
    const { store, replication } = this.#parts;
    const applied = this.#applied;
    if (applied?.plan.role !== plan.role) return this.restart('fast', { signal });
    if (plan.upstream && !isDeepStrictEqual(applied.plan.upstream, plan.upstream)) {
      await replication.follow(plan, plan.upstream);
      // It may have been cut since.
      this.#applied = { ...applied, plan: store.now.plan };
    }
    if (!isDeepStrictEqual(applied.settings, settings)) await this.configure(settings);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { supervisor } = this.#parts;
    signal.throwIfAborted();
    supervisor.start();
    const { phase, message, exit } = await supervisor.until(
      state => ['running', 'waiting', 'holding'].includes(state.phase),
      signal,
    );
    if (phase === 'running') return;
    const how = exit?.code ?? exit?.signal ?? 'unknown';
    throw new AgentError('EngineFailed', message ?? `the engine ended while it started (exit ${how}), see its log`);
  }
}

/** A promotion waits for slots so long, ms: many times what a quiet disk takes. */
const SLOTS_MS = 300;

/** It takes no other upstream by reload yet; without one that is there it may never become consistent, and come up. */
const COMING: readonly Phase[] = ['launching', 'starting'];

/** A stop is never given up: what it waits for is bounded by kill, and the proof has to come. */
const NEVER = new AbortController().signal;

const CODES: Partial<Record<BootReason, AgentErrorCode>> = {
  ForeignVolume: 'VolumeForeign',
  VolumeBlank: 'VolumeBlank',
  VolumePartial: 'VolumePartial',
};

function requireData({ state }: VolumeState): void {
  if (state === 'foreign') throw new AgentError('VolumeForeign', FOREIGN);
  if (state === 'partial') throw new AgentError('VolumePartial', 'an install was interrupted: do it again');
  if (state === 'blank') throw new AgentError('VolumeBlank', 'nothing is installed on the volume');
}
