import { AgentError } from '../agent-api/errors.ts';
import { formatIncarnation, isSameIncarnation, type Incarnation } from '../ha/incarnation.ts';
import type { GroupRecord } from '../ha/record.ts';
import { holds, noRight, onRecordRead, onRevoked, type RightState } from '../ha/right.ts';
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
  clock: Clock;
  /** The guard hears of each new end of the right before anything is done under it. */
  tellGuard: (order: GuardOrder) => void;
  /** The right has ended while it was in use: the engine has to go, now. */
  onLost: (reason: string) => void;
  log: Log;
}

/** Members look at the record this often while a right that ends depends on it (protocol, Right), ms. */
const RENEW_MS = 500;

/** Begins, renews and ends the right of this incarnation; what counts as one is decided in ha/right.ts. */
export class RightKeeper {
  readonly #options: RightKeeperOptions;
  #state: RightState = noRight;
  /** Is an RW kept up under it? */
  #inUse = false;
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
    return record;
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

  async #read(): Promise<GroupRecord | undefined> {
    const { me, clusterUid, ttlMs, read, clock } = this.#options;
    const sentAt = clock.boottime();
    const record = await read();
    if (record) this.#state = onRecordRead(this.#state, { record, sentAt }, { me, clusterUid, ttlMs });
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

  /** A right without end needs no timer: an idle single instance reads nothing. */
  #arm(): void {
    const { clock, tellGuard } = this.#options;
    const until = this.#state.right?.until ?? 0;
    tellGuard(until === Infinity ? 'unbounded' : until);
    this.#stopTimers();
    if (until === Infinity) return;
    const stopRenewal = clock.after(RENEW_MS, () => void this.renew());
    const stopExpiry = clock.after(Math.max(0, until - clock.boottime()), () => this.#check());
    this.#stopTimers = () => {
      stopRenewal();
      stopExpiry();
    };
  }
}
