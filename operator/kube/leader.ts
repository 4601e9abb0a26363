/**
 * One leader among the replicas of a part, by a Lease; the rules are those of client-go.
 *
 * Clocks of different machines are never compared: a lease has run out when this process has watched it unchanged for
 * its whole duration. A leader counts its time from before each renewal was sent, and stops leading when the renew
 * deadline has passed, also while a call hangs; since the deadline is shorter than the lease, it has stopped before
 * another can start. A process that was itself asleep finds out by `isLeader`, which looks at the clock.
 *
 * One lost request does not cost the lead: a try ends well before the deadline, and the next one follows at once.
 */
import type { KubeClient } from './client.ts';
import { microTime, sleep, systemClock, type Clock } from './clock.ts';
import { isReason } from './errors.ts';
import { RESOURCES, type Lease } from './resources.ts';
import type { Logger, ObjectRef } from './types.ts';

export interface LeaderTiming {
  /** A lease not renewed for this long may be taken, ms. */
  leaseMs: number;
  /** A leader that could not renew for this long leads no more, ms; shorter than the lease. */
  renewDeadlineMs: number;
  /** Time between two tries, ms. */
  retryMs: number;
}

export interface LeaderOptions {
  client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  lease: Required<ObjectRef>;
  /** Unique among all processes there ever are, such as `<pod>_<uid>`. */
  identity: string;
  onStarted: () => void;
  /** Leadership ended against our will; whatever it allowed must stop now. It may come back. */
  onLost: (reason: string) => void;
  log: Logger;
  timing?: LeaderTiming;
  clock?: Clock;
  random?: () => number;
}

const RELEASE_TIMEOUT_MS = 3_000;
/** A try ends after this part of the renew deadline: two find room in it beside the pause after a good one. */
const TRY_PART = 2 / 5;
const DEFAULT_TIMING: LeaderTiming = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

export class LeaderElector {
  readonly #options: Required<LeaderOptions>;
  readonly #stop = new AbortController();
  /** The lease as last seen, and since when it is unchanged. */
  #seen: { lease: Lease; since: number } | undefined;
  #isLeading = false;
  #deadline = 0;
  /** When the try that is under way ends, ms of the clock. */
  #tryEnd = 0;
  #cancelDeadline: () => void = () => undefined;
  #running: Promise<void> | undefined;

  constructor(options: LeaderOptions) {
    this.#options = { timing: DEFAULT_TIMING, clock: systemClock, random: Math.random, ...options };
  }

  get isLeader(): boolean {
    return this.#isLeading && this.#options.clock.now() < this.#deadline;
  }

  /** Holder that was seen last, for people; empty when there is none. */
  get holder(): string {
    return this.#seen?.lease.spec?.holderIdentity ?? '';
  }

  start(): void {
    this.#running ??= this.#loop();
  }

  /** Ends the candidature and hands the lease over. Stop what leadership allows before; onLost is not called. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#cancelDeadline();
    const isHolder = this.isLeader;
    this.#isLeading = false;
    if (isHolder) await this.#release();
  }

  async #loop(): Promise<void> {
    const { clock, log, random, timing } = this.#options;
    const { signal } = this.#stop;
    const isStopped = (): boolean => signal.aborted;
    while (!isStopped()) {
      const began = clock.now();
      this.#tryEnd = began + TRY_PART * timing.renewDeadlineMs;
      let spent = 0;
      try {
        if (await this.#tryOnce()) this.#confirm(began);
        else this.#lose(`the lease is held by ${this.holder}`);
      } catch (error) {
        if (!isStopped()) log.warn('leader election: no answer', { lease: this.#options.lease.name, error });
        spent = clock.now() - began;
      }
      await sleep(clock, Math.max(0, timing.retryMs * (1 + 0.2 * random()) - spent), signal);
    }
  }

  /** Takes or renews the lease if that is allowed; true if it is ours now. */
  async #tryOnce(): Promise<boolean> {
    if (this.#isLeading && this.#seen && (await this.#write(this.#seen.lease))) return true;
    const { client, lease: ref } = this.#options;
    const lease = await client.get(RESOURCES.leases, ref, this.#callOptions());
    if (!lease) return this.#create();
    this.#observe(lease);
    return this.#mayTake(lease) && this.#write(lease);
  }

  #mayTake(lease: Lease): boolean {
    const { clock, identity, timing } = this.#options;
    const holder = lease.spec?.holderIdentity ?? '';
    if (holder === identity || holder === '') return true;
    const durationMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1000 || timing.leaseMs;
    return this.#seen !== undefined && clock.now() - this.#seen.since >= durationMs;
  }

  async #create(): Promise<boolean> {
    const { client, lease } = this.#options;
    const metadata = { namespace: lease.namespace, name: lease.name };
    const fresh: Lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: this.#claim() };
    return this.#won(client.create(RESOURCES.leases, fresh, this.#callOptions()));
  }

  /** Writes our claim over exactly this version of the lease. */
  #write(lease: Lease): Promise<boolean> {
    const isRenewal = lease.spec?.holderIdentity === this.#options.identity;
    const claim = this.#claim();
    const spec = isRenewal
      ? {
          ...lease.spec,
          ...claim,
          acquireTime: lease.spec?.acquireTime,
          leaseTransitions: lease.spec?.leaseTransitions,
        }
      : { ...lease.spec, ...claim, leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1 };
    return this.#won(this.#options.client.replace(RESOURCES.leases, { ...lease, spec }, this.#callOptions()));
  }

  /** False when another one was quicker. */
  async #won(writing: Promise<Lease>): Promise<boolean> {
    try {
      this.#observe(await writing);
      return true;
    } catch (error) {
      if (isReason(error, 'Conflict') || isReason(error, 'AlreadyExists')) return false;
      throw error;
    }
  }

  #claim(): NonNullable<Lease['spec']> {
    const { clock, identity, timing } = this.#options;
    const now = microTime(clock.date());
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(timing.leaseMs / 1000),
      acquireTime: now,
      renewTime: now,
      leaseTransitions: 0,
    };
  }

  #callOptions(): { timeoutMs: number; signal: AbortSignal } {
    return { timeoutMs: Math.max(1, Math.ceil(this.#tryEnd - this.#options.clock.now())), signal: this.#stop.signal };
  }

  #observe(lease: Lease): void {
    const isUnchanged = this.#seen?.lease.metadata.resourceVersion === lease.metadata.resourceVersion;
    this.#seen = { lease, since: isUnchanged && this.#seen ? this.#seen.since : this.#options.clock.now() };
  }

  /** `began`: when the renewal was sent, the latest moment from which it surely counts. */
  #confirm(began: number): void {
    const { clock, log, onStarted, timing } = this.#options;
    const deadline = began + timing.renewDeadlineMs;
    // An answer that came too late: the lease is ours, but the time it gave is over. The next renewal decides.
    if (deadline <= clock.now() || this.#stop.signal.aborted) return;
    this.#deadline = deadline;
    this.#cancelDeadline();
    const overdue = (): void => this.#lose(`the lease was not renewed for ${timing.renewDeadlineMs} ms`);
    this.#cancelDeadline = clock.after(deadline - clock.now(), overdue);
    if (this.#isLeading) return;
    this.#isLeading = true;
    log.info('leading', { lease: this.#options.lease.name });
    onStarted();
  }

  #lose(reason: string): void {
    if (!this.#isLeading) return;
    this.#isLeading = false;
    this.#cancelDeadline();
    this.#options.log.warn('leadership lost', { lease: this.#options.lease.name, reason });
    this.#options.onLost(reason);
  }

  /** Best effort: without it the successor waits for the lease to run out. */
  async #release(): Promise<void> {
    const { client, clock, identity, lease: ref, log } = this.#options;
    try {
      // Read again: a renewal that was cut off by the stop may have been stored.
      const lease = await client.get(RESOURCES.leases, ref, { timeoutMs: RELEASE_TIMEOUT_MS });
      if (lease?.spec?.holderIdentity !== identity) return;
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(clock.date()) };
      await client.replace(RESOURCES.leases, { ...lease, spec }, { timeoutMs: RELEASE_TIMEOUT_MS });
    } catch (error) {
      log.warn('the lease could not be released', { lease: ref.name, error });
    }
  }
}
