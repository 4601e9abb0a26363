import { appendFrom, beginTimeline, lsnOf, mayStream, type Data } from './data.ts';
import type { Host, Network } from './network.ts';
import type { Process } from './process.ts';
import type { Random } from './random.ts';

/** `synchronous_standby_names`: ANY k of the members, by application_name. */
export interface SyncSetting {
  generation: number;
  members: readonly string[];
  k: number;
}

export const ASYNCHRONOUS: SyncSetting = { generation: 0, members: [], k: 0 };

export interface EngineSurroundings {
  network: Network;
  random: Random;
  /** A client got its answer: the row counts from now on. */
  acknowledge: (row: number, run: EngineRun) => void;
  nextRow: () => number;
  /** Rows are written this often by each RW, ms. */
  writeMs: number;
  /** The RW began to accept writes. */
  began: (run: EngineRun) => void;
}

export interface RunOptions {
  /** application_name of its receiver: the incarnation of its agent. */
  name: string;
  host: Host;
  data: Data;
  role: 'rw' | 'ro';
  sync: SyncSetting;
  /** Sessions: they outlive the postmaster until they are killed. */
  sessions: Process;
}

/** One walsender. Settings are read by each process for itself, some time after a reload. */
interface Sender {
  to: EngineRun;
  setting: SyncSetting;
  flushed: number;
}

interface Waiter {
  row: number;
  lsn: number;
}

/** Where an upstream is looked for: what answers there changes with restarts. */
export type Address = () => EngineRun | undefined;

const RECONNECT_MS = 300;
const WATCH_MS = 1000;

/** How long a process may take to read the settings after a reload, and a walsender to end, ms. */
const RELOAD_MS = 60;

/** The processes of one start of an engine: a postmaster, sessions that clients write through, senders, a receiver. */
export class EngineRun {
  readonly name: string;
  readonly host: Host;
  readonly data: Data;
  role: 'rw' | 'ro';
  hasPostmaster = true;
  acceptsWrites = false;
  readonly #world: EngineSurroundings;
  readonly #sessions: Process;
  readonly #senders = new Map<string, Sender>();
  #sync: SyncSetting;
  /** What the checkpointer has published: decides whether a commit waits at all. */
  #published: SyncSetting;
  #waiters: Waiter[] = [];
  #address?: Address;
  /** The upstream said that this history cannot go on from its own. */
  isDiverged = false;
  #upstream?: EngineRun;

  constructor(world: EngineSurroundings, options: RunOptions) {
    this.#world = world;
    this.name = options.name;
    this.host = options.host;
    this.data = options.data;
    this.role = options.role;
    this.#sync = options.sync;
    this.#published = options.sync;
    this.#sessions = options.sessions;
    this.#sessions.every(world.writeMs, world.random.between(0, world.writeMs), () => this.#write());
  }

  /** Something of the engine is still there, be it orphans of a killed postmaster. */
  get hasSessions(): boolean {
    return this.#sessions.isAlive;
  }

  /** Its data is a copy that does not have all yet that it needs to answer. */
  get isIncomplete(): boolean {
    return this.role === 'ro' && lsnOf(this.data) < this.data.consistentFrom;
  }

  get isStreaming(): boolean {
    return this.#upstream?.hasSender(this) ?? false;
  }

  /** Whom it takes WAL from: its application_name. */
  get upstreamName(): string | undefined {
    return this.#upstream?.name;
  }

  get senders(): { name: string; flushedLsn: number }[] {
    return [...this.#senders].map(([name, it]) => ({ name, flushedLsn: it.flushed }));
  }

  hasSender(to: EngineRun): boolean {
    return this.#senders.get(to.name)?.to === to;
  }

  /** A file and a signal: the follower ends its recovery; its sync setting was staged before. */
  promote(sync: SyncSetting, epoch: number): void {
    this.follow(undefined);
    this.role = 'rw';
    this.#sync = sync;
    this.#published = sync;
    beginTimeline(this.data, epoch);
    this.open();
  }

  open(): void {
    this.acceptsWrites = true;
    this.#world.began(this);
  }

  /** A fast stop begins: nothing new is taken in, senders send what there is. */
  close(): void {
    this.acceptsWrites = false;
  }

  /** SIGKILL of the postmaster alone: sessions and senders go on without it. */
  killPostmaster(): void {
    this.hasPostmaster = false;
    this.acceptsWrites = false;
  }

  killAll(): void {
    this.killPostmaster();
    this.follow(undefined);
    this.#sessions.die();
  }

  stop(reason: string): void {
    this.#sessions.stop(reason);
  }

  continue(reason: string): void {
    this.#sessions.continue(reason);
  }

  /** Takes a setting; `inEffect` is called when every process has read it and removed members' senders have ended. */
  reload(sync: SyncSetting, inEffect: () => void): void {
    const { random } = this.#world;
    this.#sync = sync;
    const isCurrent = (): boolean => this.#sync === sync;
    let open = 1 + this.#senders.size;
    const done = (): void => {
      if (--open > 0 || !isCurrent()) return;
      this.#nudge(sync, inEffect);
    };
    this.#sessions.after(random.between(1, RELOAD_MS), () => {
      if (isCurrent()) this.#publish(sync);
      done();
    });
    for (const [name, sender] of this.#senders) {
      this.#sessions.after(random.between(1, RELOAD_MS), () => {
        if (isCurrent()) sender.setting = sync;
        if (isCurrent() && sync.k > 0 && !sync.members.includes(name)) this.#senders.delete(name);
        done();
      });
    }
  }

  /** Follower: takes WAL from whatever engine answers at that address from now on; undefined: from nowhere. */
  follow(address: Address | undefined): void {
    this.#address = address;
    this.#upstream = undefined;
    this.isDiverged = false;
    if (address) this.#connect(address);
  }

  /** The receiver lost its upstream or was refused, and tries again. */
  #connect(address: Address): void {
    if (this.#address !== address || !this.hasPostmaster) return;
    const upstream = address();
    if (upstream) {
      this.#upstream = upstream;
      this.#world.network.send(this.host, upstream.host, upstream.#sessions, () => upstream.#accept(this));
    }
    this.#sessions.after(RECONNECT_MS, () => this.#watch(address));
  }

  /** tcp_user_timeout: a connection to a host that cannot be reached ends, on both sides. */
  #watch(address: Address): void {
    const upstream = this.#upstream;
    if (this.#address !== address) {
      if (upstream) upstream.#drop(this);
      return;
    }
    if (upstream && !this.#reaches(upstream)) upstream.#drop(this);
    if (upstream?.hasSender(this)) this.#sessions.after(WATCH_MS, () => this.#watch(address));
    else this.#connect(address);
  }

  #reaches(upstream: EngineRun): boolean {
    const { network } = this.#world;
    const isLinked = network.leads(this.host, upstream.host) && network.leads(upstream.host, this.host);
    return isLinked && upstream.hasSessions;
  }

  #drop(from: EngineRun): void {
    if (this.hasSender(from)) this.#senders.delete(from.name);
  }

  #accept(from: EngineRun): void {
    if (!this.hasPostmaster || !this.acceptsWrites || this.role !== 'rw') return;
    if (!mayStream(from.data, this.data)) {
      this.#world.network.send(this.host, from.host, from.#sessions, () => from.#onRefused(this));
      return;
    }
    this.#senders.set(from.name, { to: from, setting: this.#sync, flushed: 0 });
    this.#send(from.name);
  }

  #onRefused(by: EngineRun): void {
    if (this.#upstream === by) this.isDiverged = true;
  }

  #send(name: string): void {
    const sender = this.#senders.get(name);
    if (!sender) return;
    const { to } = sender;
    const upTo = lsnOf(this.data);
    this.#world.network.send(this.host, to.host, to.#sessions, () => to.#receive(this, upTo));
  }

  #receive(from: EngineRun, upTo: number): void {
    if (this.#upstream !== from) return;
    appendFrom(from.data, this.data, upTo);
    const flushed = lsnOf(this.data);
    this.#world.network.send(this.host, from.host, from.#sessions, () => from.#onFlushed(this.name, flushed));
  }

  #onFlushed(name: string, flushed: number): void {
    const sender = this.#senders.get(name);
    if (!sender) return;
    sender.flushed = Math.max(sender.flushed, flushed);
    this.#release(sender.setting);
  }

  /** A sender releases waiters by the setting that it has read itself. */
  #release({ members, k }: SyncSetting): void {
    if (k === 0) return;
    const flushed = members.map(name => this.#senders.get(name)?.flushed ?? 0).sort((a, b) => b - a);
    this.#releaseUpTo(flushed[k - 1] ?? 0);
  }

  #releaseUpTo(lsn: number): void {
    const released = this.#waiters.filter(it => it.lsn <= lsn);
    if (released.length === 0) return;
    this.#waiters = this.#waiters.filter(it => it.lsn > lsn);
    for (const { row } of released) this.#world.acknowledge(row, this);
  }

  #publish(sync: SyncSetting): void {
    this.#published = sync;
    if (sync.k === 0) this.#releaseUpTo(Infinity);
  }

  /** A small WAL record makes the members tell how far they are, by the new setting. */
  #nudge(sync: SyncSetting, inEffect: () => void): void {
    for (const name of this.#senders.keys()) this.#send(name);
    if (this.#sync === sync) inEffect();
  }

  #write(): void {
    if (this.role !== 'rw' || (!this.acceptsWrites && this.hasPostmaster)) return;
    const row = this.#world.nextRow();
    this.data.rows.push(row);
    if (this.#published.k === 0) this.#world.acknowledge(row, this);
    else this.#waiters.push({ row, lsn: lsnOf(this.data) });
    for (const name of this.#senders.keys()) this.#send(name);
  }
}
