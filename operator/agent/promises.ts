import { AgentError } from '../agent-api/errors.ts';
import type { MemberClient } from '../agent-api/client.ts';
import type { Peer } from '../agent-api/beat.ts';
import type { PromisesRequest } from '../agent-api/requests.ts';
import type { PromisesResult } from '../agent-api/state.ts';
import { formatIncarnation, parseIncarnation, type Incarnation } from '../ha/incarnation.ts';
import { onEpochKnown, onPromiseAsked, onPrepared, promiseAge, type PromiseState } from '../ha/promise.ts';
import type { GroupRecord } from '../ha/record.ts';
import type { Clock } from './clock.ts';
import { messageOf, type Log } from './log.ts';
import type { ReadRecord } from './record-reader.ts';
import type { PromiseRound } from './right-keeper.ts';

export interface PromiseOptions {
  clusterUid: string;
  me: Incarnation;
  /** Persisted: highest epochs of a command and of a `prepare`. */
  epoch: number;
  preparedEpoch: number;
  /** Longest promise, ms. */
  ttlMs: number;
  read: ReadRecord;
  /** Is a leading cluster manager heard? It tells of a revoke then. */
  isLeaderHeard: () => boolean;
  /** A client of another agent, with the instance's own certificate. */
  clientOf: (peer: Peer) => Pick<MemberClient, 'promises'>;
  clock: Clock;
  log: Log;
}

/** A member that is asked for promises while it hears no leader looks at the record this often, ms. */
const LOOK_MS = 500;
/** ... and for so long after it was asked last, ms. */
const LOOKS_FOR_MS = 2_000;
/** Limit of one question to a peer, ms: three fit into a right. */
const ASK_LIMIT_MS = 700;

/** Right (c) from both sides: what this member promised, and whom this RW asks. What counts is decided in ha/promise.ts. */
export class Promises {
  readonly #options: PromiseOptions;
  #state: PromiseState;
  #peers: readonly Peer[] = [];
  #askedAt = -Infinity;
  #isLooking = false;

  constructor(options: PromiseOptions) {
    const { clusterUid, epoch, preparedEpoch, clock } = options;
    this.#options = options;
    // What an earlier life promised is not known: it counts as given now.
    this.#state = { clusterUid, epoch, preparedEpoch, promisedAt: clock.boottime() };
  }

  /** How old the last promise is at most, ms. */
  get ageMs(): number {
    return promiseAge(this.#state, this.#options.clock.boottime());
  }

  /** Where the others are, as a cluster manager tells. */
  peersAre(peers: readonly Peer[]): void {
    this.#peers = peers;
  }

  epochKnown(epoch: number, holder?: Incarnation): void {
    this.#state = onEpochKnown(this.#state, epoch, holder);
  }

  /** The epoch is durable by now. */
  prepared(epoch: number): void {
    this.#state = onPrepared(this.#state, epoch);
  }

  /** @throws AgentError `InvalidRequest`, `ForeignCluster` */
  asked({ clusterUid, epoch, generation, from, ttlMs }: PromisesRequest): PromisesResult {
    const asker = parseIncarnation(from);
    if (!asker) throw new AgentError('InvalidRequest', 'from: is no incarnation', { field: 'from' });
    if (clusterUid !== this.#options.clusterUid) throw new AgentError('ForeignCluster', 'that is another cluster');
    if (ttlMs > this.#options.ttlMs) throw new AgentError('InvalidRequest', 'ttlMs: too long', { field: 'ttlMs' });
    const now = this.#options.clock.boottime();
    this.#askedAt = now;
    if (!this.#options.isLeaderHeard()) void this.#look();
    const { promised, state } = onPromiseAsked(this.#state, { clusterUid, epoch, generation, from: asker }, now);
    this.#state = state;
    return { promised };
  }

  /** @returns those that promised; whoever does not answer did not */
  async ask({ members, epoch, generation, ttlMs }: PromiseRound): Promise<readonly Incarnation[]> {
    const { clusterUid, me } = this.#options;
    const body = { clusterUid, epoch, generation, from: formatIncarnation(me), ttlMs };
    const answers = await Promise.all(members.map(member => this.#askOne(member, body)));
    return members.filter((_, i) => answers[i]);
  }

  async #askOne(member: Incarnation, body: PromisesRequest): Promise<boolean> {
    const { clientOf, log } = this.#options;
    const name = formatIncarnation(member);
    const peer = this.#peers.find(it => it.incarnation === name);
    try {
      if (!peer) throw new Error('its address is not known');
      return (await clientOf(peer).promises(body, { limitMs: ASK_LIMIT_MS })).promised;
    } catch (error) {
      log.warn('no promise', { member: name, reason: messageOf(error) });
      return false;
    }
  }

  /** So that a member that no cluster manager reaches refuses once somebody else is about to be granted. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { read, clock, isLeaderHeard, log } = this.#options;
    while (clock.boottime() - this.#askedAt < LOOKS_FOR_MS && !isLeaderHeard()) {
      await read().then(
        record => record && this.recordRead(record),
        (error: unknown) => log.warn('the record is not read', { reason: messageOf(error) }),
      );
      await new Promise<void>(resolve => void clock.after(LOOK_MS, resolve));
    }
    this.#isLooking = false;
  }

  recordRead({ clusterUid, epoch, holder }: GroupRecord): void {
    if (clusterUid === this.#options.clusterUid) this.epochKnown(epoch, holder);
  }
}

/** Is this certificate that of the instance which asks? Pods are named `<cluster>-<id>-<instance>`. */
export function isOf(cluster: string, from: string, commonName: string): boolean {
  const asker = parseIncarnation(from);
  return asker !== undefined && commonName.startsWith(`${cluster}-`) && commonName.endsWith(`-${asker.instanceId}`);
}
