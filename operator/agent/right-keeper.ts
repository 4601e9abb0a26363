import { AgentError } from '../agent-api/errors.ts';
import { formatIncarnation, isSameIncarnation, type Incarnation } from '../ha/incarnation.ts';
import type { GroupRecord } from '../ha/record.ts';
import {
  holds,
  needsRead,
  noRight,
  onAnswer,
  onPromises,
  onQuorumCommand,
  onRecordRead,
  onRevoked,
  promisersOf,
  ttlOf,
  type RecordStamp,
  type RightState,
} from '../ha/right.ts';
import type { Clock } from './clock.ts';
import type { GuardOrder } from './guard.ts';
import { messageOf, type Log } from './log.ts';
import type { ReadRecord } from './record-reader.ts';

export interface RightKeeperOptions {
  me: Incarnation;
  clusterUid: string;
  /** How long an answered read counts from its sending, ms. */
  ttlMs: number;
  read: ReadRecord;
  /** Asks these members not to be promoted by rung 4 for a `ttlMs` from now. @returns those that promised */
  askPromises: (ask: PromiseRound) => Promise<readonly Incarnation[]>;
  clock: Clock;
  /** The guard hears of each new end of the right before anything is done under it. */
  tellGuard: (order: GuardOrder) => void;
  /** Resolves when the guard goes by what it was told. */
  guardHeard: () => Promise<void>;
  /** The right has ended while it was in use: the engine has to go, now. */
  onLost: (reason: string) => void;
  log: Log;
}

export interface PromiseRound {
  members: readonly Incarnation[];
  epoch: number;
  generation: number;
  ttlMs: number;
}

/** A right that ends is looked after this often; without a cluster manager the record is read as often (protocol, Right), ms. */
const RENEW_MS = 500;
/** Answers of a cluster manager are this fresh, or the record is read. */
const FRESH_MS = 1_000;
/** When neither answers nor reads renewed it for so long, the members are asked. */
const PROMISES_AFTER_MS = 1_200;
/** Word of a revoke may come ahead of the command that stops this engine in order: it is waited for this long, ms. */
const COMMAND_GRACE_MS = 500;

/** Begins, renews and ends the right of this incarnation; what counts as one is decided in ha/right.ts. */
export class RightKeeper {
  readonly #options: RightKeeperOptions;
  #state: RightState = noRight;
  /** Is an RW kept up under it? */
  #inUse = false;
  #isAsking = false;
  #isReading = false;
  /** Sending of the newest report that was answered. */
  #answeredAt = -Infinity;
  #stopTimers: () => void = () => undefined;

  constructor(options: RightKeeperOptions) {
    this.#options = options;
  }

  get state(): RightState {
    return this.#state;
  }

  get isHeld(): boolean {
    return holds(this.#state, this.#options.clock.boottime());
  }

  /**
   * Asks the record directly and, when it names this incarnation, holds the right from then on. A command to promote is
   * no right by itself (protocol, Right).
   * @throws AgentError `NoRight` or `RecordUnreachable`
   */
  async acquire(): Promise<GroupRecord> {
    const record = await this.#read();
    const { me } = this.#options;
    if (!record?.holder || !isSameIncarnation(record.holder, me) || !this.isHeld) {
      const holder = record?.holder ? formatIncarnation(record.holder) : 'nobody';
      throw new AgentError('NoRight', `the record names ${holder}, this is ${formatIncarnation(me)}`);
    }
    this.#inUse = true;
    this.#arm();
    await this.#options.guardHeard();
    return record;
  }

  /** (a): a cluster manager answered the report that was sent at `sentAt`. */
  answered(stamp: RecordStamp, sentAt: number): void {
    this.#state = onAnswer(this.#state, { stamp, sentAt }, this.#options);
    if (this.isHeld && this.#state.epoch === stamp.epoch) this.#answeredAt = Math.max(this.#answeredAt, sentAt);
    this.#check();
    this.#lookIfNew(stamp);
  }

  /** A cluster manager tells what is recorded. */
  heard(stamp: RecordStamp): void {
    if (stamp.clusterUid !== this.#options.clusterUid) return;
    if (stamp.epoch > this.#state.epoch) this.#revokeTold(stamp.epoch);
    else this.#lookIfNew(stamp);
  }

  /** What commits wait for was commanded: where that brings members, a right without end gets one at once. */
  commanded(command: { epoch: number; generation: number; members: readonly Incarnation[] }): void {
    const now = this.#options.clock.boottime();
    this.#state = onQuorumCommand(this.#state, { ...command, now }, this.#options);
    this.#check();
  }

  /** Looks again, for example because somebody knows a newer (E, k). */
  async renew(): Promise<void> {
    try {
      await this.#read();
    } catch (error) {
      this.#options.log.warn('the right is not renewed', { reason: messageOf(error) });
    }
    this.#check();
  }

  /** A revoke that began `epoch` is known: every right of an earlier epoch is over. */
  revoked(epoch: number): void {
    this.#state = onRevoked(this.#state, epoch);
    this.#check();
  }

  /**
   * As `revoked`, told by the very command that stops the engine: the stop has bounds of its own, so that a planned one
   * can be clean (protocol, Moves). Nothing renews the right any more, and the guard keeps the end that it knows.
   */
  yielded(epoch: number): void {
    this.#state = onRevoked(this.#state, epoch);
    this.#inUse = false;
    this.#stopTimers();
  }

  /** The engine is proven stopped; nothing is left to guard. */
  release(): void {
    this.#inUse = false;
    this.#stopTimers();
    this.#state = { ...this.#state, right: undefined };
    this.#options.tellGuard('none');
  }

  #lookIfNew(stamp: RecordStamp): void {
    if (this.#inUse && needsRead(this.#state, stamp)) void this.renew();
  }

  /** Nothing renews the right any more; the guard keeps the end that it knows. */
  #revokeTold(epoch: number): void {
    const { clock, onLost } = this.#options;
    const left = (this.#state.right?.until ?? 0) - clock.boottime();
    this.#state = onRevoked(this.#state, epoch);
    if (!this.#inUse) return;
    this.#inUse = false;
    this.#stopTimers();
    const end = (): void => onLost(`epoch ${epoch} has begun`);
    this.#stopTimers = clock.after(Math.max(0, Math.min(left, COMMAND_GRACE_MS)), end);
  }

  /** While a cluster manager answers there is nothing to do. */
  async #lookAfter(): Promise<void> {
    const now = this.#options.clock.boottime();
    if (now - this.#answeredAt < FRESH_MS) {
      this.#check();
      return;
    }
    // A read that hangs must not take the time in which members can be asked.
    this.#schedule();
    const age = ttlOf(this.#state, this.#options) - ((this.#state.right?.until ?? 0) - now);
    if (age >= PROMISES_AFTER_MS) void this.#ask();
    if (this.#isReading) return;
    this.#isReading = true;
    await this.renew();
    this.#isReading = false;
  }

  async #ask(): Promise<void> {
    const { askPromises, clock } = this.#options;
    const ttlMs = ttlOf(this.#state, this.#options);
    const { epoch, generation } = this.#state;
    const members = promisersOf(this.#state);
    if (members.length === 0 || this.#isAsking) return;
    this.#isAsking = true;
    const sentAt = clock.boottime();
    const promised = await askPromises({ members, epoch, generation, ttlMs });
    this.#isAsking = false;
    const round = { epoch, promised, sentAt, now: clock.boottime() };
    this.#state = onPromises(this.#state, round, this.#options);
    this.#check();
  }

  async #read(): Promise<GroupRecord | undefined> {
    const { read, clock } = this.#options;
    const sentAt = clock.boottime();
    const record = await read();
    if (record) this.#state = onRecordRead(this.#state, { record, sentAt }, this.#options);
    return record;
  }

  #check(): void {
    if (!this.#inUse) return;
    if (this.isHeld) {
      this.#arm();
      return;
    }
    this.#inUse = false;
    this.#stopTimers();
    this.#options.onLost(`the right of epoch ${this.#state.epoch} has ended`);
  }

  #arm(): void {
    const until = this.#state.right?.until ?? 0;
    this.#options.tellGuard(until === Infinity ? 'unbounded' : until);
    this.#schedule();
  }

  /** A right without end needs no timer: an idle single instance reads nothing. */
  #schedule(): void {
    const { clock } = this.#options;
    const until = this.#state.right?.until ?? 0;
    this.#stopTimers();
    if (until === Infinity) return;
    const stopRenewal = clock.after(RENEW_MS, () => void this.#lookAfter());
    const stopExpiry = clock.after(Math.max(0, until - clock.boottime()), () => this.#check());
    this.#stopTimers = () => {
      stopRenewal();
      stopExpiry();
    };
  }
}
