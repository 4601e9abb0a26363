import type { CommandStamp } from '../command.ts';
import type { Incarnation } from '../incarnation.ts';
import type { HaOptions } from '../options.ts';
import type { PromiseAsk } from '../promise.ts';
import type { GroupRecord } from '../record.ts';
import { noRight, type RightOptions, type RightState } from '../right.ts';
import type { ApiServer } from './api-server.ts';
import type { Host } from './network.ts';
import type { Process } from './process.ts';
import type { Rules } from './rules.ts';
import type { Cancel } from './time.ts';

export interface RightKeepingParts {
  me: Incarnation;
  clusterUid: string;
  host: Host;
  process: Process;
  api: ApiServer;
  rules: Rules;
  options: HaOptions;
  /** Asks that member's agent; the answer may never come. */
  askPromise: (member: Incarnation, ask: PromiseAsk, promised: () => void) => void;
  tellGuard: (until: number | undefined) => void;
  onLost: () => void;
  /** A direct read told of this record. */
  onRead: (record: GroupRecord) => void;
}

const RENEW_MS = 500;
const READ_LIMIT_MS = 1000;
const SENT_KEPT = 20;
/** How long the command to stop may come after the word of the revoke, ms. */
const COMMAND_GRACE_MS = 500;

/** Begins, renews and ends the right of one incarnation, by the rules of ha/right.ts. */
export class RightKeeping {
  state: RightState = noRight;
  readonly #parts: RightKeepingParts;
  readonly #options: RightOptions;
  readonly #sent = new Map<string, number>();
  #inUse = false;
  #answeredAt = -Infinity;
  #stopTimer: Cancel = () => undefined;

  constructor(parts: RightKeepingParts) {
    this.#parts = parts;
    this.#options = { me: parts.me, clusterUid: parts.clusterUid, ttlMs: parts.options.ttlMs };
    parts.process.every(RENEW_MS, RENEW_MS, () => this.#renew());
  }

  get isHeld(): boolean {
    return this.#parts.rules.holds(this.state, this.#now);
  }

  /** A command to promote came. Does it give a right by itself? It never does; a mutation says otherwise. */
  isGivenByCommand(): boolean {
    const { rules, options } = this.#parts;
    const given = rules.onPromoteCommand({ state: this.state, now: this.#now, ttlMs: options.ttlMs });
    const isGiven = given !== this.state;
    this.#set(given);
    return isGiven;
  }

  /** The engine is RW from now on and ends with the right. */
  use(): void {
    this.#inUse = true;
    this.#arm();
  }

  /** Another guard has to hear what holds. */
  retell(): void {
    if (this.#inUse) this.#arm();
  }

  release(): void {
    this.#inUse = false;
    this.state = { ...this.state, right: undefined };
    this.#arm();
  }

  /** A report leaves: what answers it counts from here. */
  onSent(nonce: string): void {
    this.#sent.set(nonce, this.#now);
    if (this.#sent.size <= SENT_KEPT) return;
    for (const first of this.#sent.keys()) {
      this.#sent.delete(first);
      break;
    }
  }

  onAnswer(nonce: string, stamp: CommandStamp): void {
    const { rules } = this.#parts;
    const sentAt = this.#sent.get(nonce);
    if (sentAt === undefined) return;
    this.#answeredAt = this.#now;
    this.#set(
      rules.onAnswer(this.state, { stamp, sentAt: rules.countsFrom({ sentAt, answeredAt: this.#now }) }, this.#options),
    );
  }

  /** A beat tells what is recorded. Of a revoke: the command to stop is near, so a planned stop may still be clean. */
  onStamp(stamp: CommandStamp): void {
    const { rules, process } = this.#parts;
    if (stamp.epoch > this.state.epoch && this.#inUse) {
      const left = (this.state.right?.until ?? 0) - this.#now;
      this.yield(stamp.epoch);
      this.#stopTimer = process.after(Math.min(left, COMMAND_GRACE_MS), () => this.#parts.onLost());
    } else if (rules.needsRead(this.state, stamp)) this.read(() => undefined);
  }

  /** A command tells of a revoke. */
  onRevoked(epoch: number): void {
    this.#set(this.#parts.rules.onRevoked(this.state, epoch));
  }

  /** The command that stops the engine has bounds of its own. Nothing renews the right; the guard keeps the end it knows. */
  yield(epoch: number): void {
    this.state = this.#parts.rules.onRevoked(this.state, epoch);
    this.#inUse = false;
    this.#stopTimer();
  }

  onQuorum(command: { epoch: number; generation: number; members: readonly Incarnation[] }): void {
    const { rules } = this.#parts;
    this.#set(rules.onQuorumCommand(this.state, { ...command, now: this.#now }, this.#options));
  }

  /** One direct read of the record; `then` gets nothing when no answer came. */
  read(then: (record: GroupRecord | undefined) => void): void {
    const { api, process, host, rules, onRead } = this.#parts;
    const sentAt = this.#now;
    api.call(
      { process, host },
      {
        writes: 'nothing',
        limitMs: READ_LIMIT_MS,
        work: server => server.readRecord(rules.habits.readsDirectly)?.record,
        done: answer => {
          const record = answer === 'none' ? undefined : answer.got;
          if (record) {
            const counted = rules.countsFrom({ sentAt, answeredAt: this.#now });
            this.#set(rules.onRecordRead(this.state, { record, sentAt: counted }, this.#options));
            onRead(record);
          }
          then(record);
        },
      },
    );
  }

  get #now(): number {
    return this.#parts.process.clock.now;
  }

  /** While the cluster manager answers, nothing else is asked. */
  #renew(): void {
    if (!this.#inUse || this.state.right?.kind === 'alone') return;
    if (this.#now < this.#answeredAt + 2 * RENEW_MS) return;
    this.read(() => undefined);
    this.#askPromises();
  }

  #askPromises(): void {
    const { rules, clusterUid, me, askPromise } = this.#parts;
    const { epoch, generation } = this.state;
    const sentAt = this.#now;
    const promised: Incarnation[] = [];
    for (const member of rules.promisersOf(this.state)) {
      askPromise(member, { clusterUid, epoch, generation, from: me }, () => {
        promised.push(member);
        const counted = rules.countsFrom({ sentAt, answeredAt: this.#now });
        this.#set(rules.onPromises(this.state, { epoch, promised, sentAt: counted, now: this.#now }, this.#options));
      });
    }
  }

  #set(state: RightState): void {
    this.state = state;
    if (this.#inUse) this.#arm();
  }

  #arm(): void {
    const { process, tellGuard } = this.#parts;
    this.#stopTimer();
    if (!this.#inUse) {
      tellGuard(undefined);
      return;
    }
    const until = this.state.right?.until ?? 0;
    tellGuard(until);
    if (until === Infinity) return;
    this.#stopTimer = process.after(until - process.clock.now, () => this.#check());
  }

  #check(): void {
    if (!this.#inUse) return;
    if (this.isHeld) {
      this.#arm();
      return;
    }
    this.#inUse = false;
    this.#parts.onLost();
  }
}
