import type { TerminatedContainer } from '../evidence.ts';
import type { Incarnation } from '../incarnation.ts';
import type { GrantNote, GroupRecord } from '../record.ts';
import type { HaRequest } from '../view.ts';
import { API, type Host, type Network } from './network.ts';
import type { Process } from './process.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './time.ts';

/** A pod as the API server shows it. */
export interface PodObject {
  uid: string;
  instanceId: string;
  node: Host;
  /** Has a deletion timestamp. */
  leaving: boolean;
  phase: 'Pending' | 'Running' | 'Failed';
  running?: GrantNote & { incarnation: Incarnation };
  terminated: readonly TerminatedContainer[];
}

export interface NodeObject {
  leaseVersion: number;
  renewedAt: number;
  outOfService: boolean;
}

/** Who leads the cluster managers: a Lease that candidates judge by their own clocks. */
export interface LeadershipLease {
  holder?: string;
  version: number;
}

/** Everything stored, replaced as a whole with each write: a copy of the past is a reference. */
export interface Stored {
  version: number;
  /** Whom the RW endpoint leads to. */
  published?: Incarnation;
  /** What a person asked for, and what became of it. */
  request?: HaRequest & { outcome?: string };
  record?: { record: GroupRecord; version: string };
  leadership: LeadershipLease;
  pods: readonly PodObject[];
  nodes: Readonly<Record<Host, NodeObject>>;
}

/** No answer within the limit: it may have happened, may happen later, or never. */
export type Answer<T> = { got: T } | 'none';

/** Readings of the past are kept this long, ms. */
const KEEP_MS = 20_000;

/** The API server and what it stores: direct reads, compare-and-swap writes, caches that lag, and its faults. */
export class ApiServer {
  /** Refuses everything. */
  isUp = true;
  /** How long a write may hang before it is done, ms; of the record, and any. */
  recordHangMs = 0;
  hangMs = 0;
  /** How far caches lag, ms. */
  lagMs = 20;
  readonly #time: VirtualTime;
  readonly #network: Network;
  readonly #random: Random;
  readonly #process: Process;
  #cachedAt = 0;
  #past: { at: number; stored: Stored }[];
  /** Looks at each change of the record before it is done. */
  readonly #watchers: (() => void)[] = [];
  readonly #audit: (before: GroupRecord | undefined, next: GroupRecord) => void;

  constructor(
    world: { time: VirtualTime; network: Network; random: Random; process: Process },
    audit: (before: GroupRecord | undefined, next: GroupRecord) => void,
  ) {
    this.#time = world.time;
    this.#network = world.network;
    this.#random = world.random;
    this.#process = world.process;
    this.#audit = audit;
    this.#past = [{ at: 0, stored: { version: 100, leadership: { version: 1 }, pods: [], nodes: {} } }];
  }

  get stored(): Stored {
    return this.#past.at(-1)!.stored;
  }

  /** As caches show it: late, and never an older state than before. */
  get cached(): Stored {
    this.#cachedAt = Math.max(this.#cachedAt, this.#time.now - this.lagMs);
    return this.#at(this.#cachedAt);
  }

  /** Calls back when caches show each change of the record that is done. */
  watchRecord(shown: () => void): void {
    this.#watchers.push(shown);
  }

  /** A change by whoever; it gets the next resourceVersion. */
  change(next: (stored: Stored, version: number) => Partial<Stored>): void {
    const stored = this.stored;
    const version = stored.version + 1;
    const changed = { ...stored, ...next(stored, version), version };
    this.#past.push({ at: this.#time.now, stored: changed });
    if (changed.record !== stored.record) this.#time.after(this.lagMs, () => this.#watchers.forEach(it => it()));
    const oldest = this.#time.now - KEEP_MS;
    while (this.#past.length > 2 && this.#past[1]!.at < oldest) this.#past.shift();
  }

  /** etcd comes back as it was some time ago, resourceVersions included. What no cache has shown yet, none will. */
  restore(agoMs: number): void {
    const stored = this.#at(this.#time.now - agoMs);
    const { cached } = this;
    this.#past = this.#past.filter(it => it.at <= this.#cachedAt || it.stored === cached);
    this.#past.push({ at: this.#time.now, stored });
  }

  /** A read or write by a process; direct, so never from a cache. */
  call<T>(from: { process: Process; host: Host }, call: ApiCall<T>): void {
    const { process, host } = from;
    let isOver = false;
    const end = (answer: Answer<T>): void => {
      if (isOver) return;
      isOver = true;
      call.done(answer);
    };
    process.after(call.limitMs, () => end('none'));
    this.#network.send(host, API, this.#process, () => {
      this.#time.after(this.#hangOf(call.writes), () => this.#answer(from, call, end));
    });
  }

  readRecord(directly: boolean): Stored['record'] {
    return (directly ? this.stored : this.cached).record;
  }

  /** @returns the new version, or undefined when another write came in between */
  writeRecord(record: GroupRecord, expected: string | undefined): string | undefined {
    const before = this.stored.record;
    if (before?.version !== expected) return undefined;
    this.#audit(before?.record, record);
    this.change((_, version) => ({ record: { record, version: String(version) } }));
    return this.stored.record?.version;
  }

  changePod(uid: string, next: (pod: PodObject) => PodObject | undefined): void {
    this.change(({ pods }) => ({ pods: pods.flatMap(pod => (pod.uid === uid ? (next(pod) ?? []) : pod)) }));
  }

  changeNode(name: Host, next: (node: NodeObject, version: number) => NodeObject): void {
    this.change(({ nodes }, version) => ({
      nodes: { ...nodes, [name]: next(nodes[name] ?? { leaseVersion: 0, renewedAt: 0, outOfService: false }, version) },
    }));
  }

  #hangOf(writes: ApiCall<unknown>['writes']): number {
    const most = writes === 'nothing' ? 0 : Math.max(this.hangMs, writes === 'record' ? this.recordHangMs : 0);
    return most > 0 ? this.#random.between(0, most) : 0;
  }

  #answer<T>(from: { process: Process; host: Host }, call: ApiCall<T>, end: (answer: Answer<T>) => void): void {
    if (!this.isUp) return;
    const got = call.work(this);
    this.#network.send(API, from.host, from.process, () => end({ got }));
  }

  #at(moment: number): Stored {
    const past = this.#past;
    for (let at = past.length - 1; at > 0; at--) if (past[at]!.at <= moment) return past[at]!.stored;
    return past[0]!.stored;
  }
}

export interface ApiCall<T> {
  /** A write may hang on the way. */
  writes: 'nothing' | 'record' | 'other';
  work: (api: ApiServer) => T;
  done: (answer: Answer<T>) => void;
  limitMs: number;
}
