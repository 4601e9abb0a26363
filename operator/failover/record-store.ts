import { formatRecord, parseRecord, type LeaseObject } from '../ha/lease.ts';
import type { GroupRecord } from '../ha/record.ts';
import { doubtfulFrom, noRecordWatch, onKnown, onShown, type RecordWatch } from '../ha/record-watch.ts';
import type { KubeClient } from '../kube/client.ts';
import { isReason } from '../kube/errors.ts';
import { RESOURCES, type Lease } from '../kube/resources.ts';
import type { ObjectMeta, ObjectRef } from '../kube/types.ts';

/** The record at one version. */
export interface RecordReading {
  record: GroupRecord;
  /** resourceVersion. */
  version: string;
}

/** What became of a write. `unanswered`: it may have been stored, or may be stored later. */
export type WriteOutcome = 'written' | 'overtaken' | 'unanswered';

/** A call on the record ends within this, ms: a leader that waits longer leads no more. */
const LIMIT_MS = 2_000;

/**
 * The record of one group as this leader knows it: what it read directly or wrote last. Nobody else writes it while
 * this process leads, so decisions between two writes need no call; whatever casts doubt on it makes it be read again.
 */
export class RecordStore {
  readonly #client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  readonly #ref: Required<ObjectRef>;
  #lease: LeaseObject | undefined;
  #reading: RecordReading | undefined;
  #isKnown = false;
  /** Counts what cast doubt on it: a call that was under way meanwhile knows nothing for certain. */
  #doubts = 0;
  #watch: RecordWatch = noRecordWatch;
  /** Monotonic, ms. */
  readonly #now: () => number;

  constructor(client: Pick<KubeClient, 'get' | 'create' | 'replace'>, ref: Required<ObjectRef>, now: () => number) {
    this.#client = client;
    this.#ref = ref;
    this.#now = now;
  }

  /** The record, read directly when it is not known for certain. @throws KubeError, RecordError */
  async known(): Promise<RecordReading | undefined> {
    if (!this.#isKnown || this.#now() >= (this.doubtfulFrom ?? Infinity)) await this.read();
    return this.current;
  }

  /** From when on `known` reads it again though nothing happens, ms; undefined: the watch has shown what is known. */
  get doubtfulFrom(): number | undefined {
    return doubtfulFrom(this.#watch);
  }

  /** As known last; undefined when there is none or nothing is known. */
  get current(): RecordReading | undefined {
    return this.#reading;
  }

  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Reads it directly. @throws KubeError, RecordError */
  async read(): Promise<RecordReading | undefined> {
    this.#isKnown = false;
    const doubts = this.#doubts;
    const lease = (await this.#client.get(RESOURCES.leases, this.#ref, { timeoutMs: LIMIT_MS })) as
      LeaseObject | undefined;
    this.#learn(lease, doubts);
    return this.current;
  }

  /** What is known may be out of date: it is read before it is used again. */
  doubt(): void {
    this.#doubts++;
    this.#isKnown = false;
  }

  /** A watch showed this version of the record; undefined: it is gone. */
  observed(version: string | undefined): void {
    const { watch, isNews } = onShown(this.#watch, version);
    this.#watch = watch;
    if (isNews) this.doubt();
  }

  /** Creates the record. @throws KubeError other than those that an outcome stands for */
  create(record: GroupRecord, meta: ObjectMeta & { namespace: string }): Promise<WriteOutcome> {
    const base: LeaseObject = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: meta as unknown as LeaseObject['metadata'],
      spec: {},
    };
    const lease = checked(record, base);
    return this.#write(() => this.#client.create(RESOURCES.leases, lease, { timeoutMs: LIMIT_MS }));
  }

  /** Over exactly the version that is known. @throws KubeError other than those that an outcome stands for */
  replace(record: GroupRecord): Promise<WriteOutcome> {
    const lease = this.#lease;
    if (!lease || !this.#isKnown) return Promise.resolve('overtaken');
    const next = checked(record, lease);
    return this.#write(() => this.#client.replace(RESOURCES.leases, next, { timeoutMs: LIMIT_MS }));
  }

  #learn(lease: LeaseObject | undefined, doubts: number): void {
    this.#lease = lease;
    this.#reading = lease && { record: parseRecord(lease), version: versionOf(lease) };
    this.#isKnown = doubts === this.#doubts;
    this.#watch = onKnown(this.#watch, this.#reading?.version, this.#now());
  }

  async #write(send: () => Promise<Lease>): Promise<WriteOutcome> {
    this.#isKnown = false;
    const doubts = this.#doubts;
    try {
      this.#learn((await send()) as LeaseObject, doubts);
      return 'written';
    } catch (error) {
      if (isReason(error, 'Conflict') || isReason(error, 'AlreadyExists')) return 'overtaken';
      if (isUnanswered(error)) return 'unanswered';
      throw error;
    }
  }
}

const versionOf = (lease: LeaseObject): string => lease.metadata.resourceVersion ?? '';

/** As it will be read again: what nobody could read is never written. @throws RecordError */
function checked(record: GroupRecord, base: LeaseObject): LeaseObject {
  const lease = formatRecord(record, base);
  parseRecord(lease);
  return lease;
}

/** Refused before it was sent, or by the server: surely not stored. Else nobody knows. */
function isUnanswered(error: unknown): boolean {
  const { status, reason } = error as { status?: number; reason?: string };
  if (status === undefined) return false;
  return (status === 0 && reason !== 'Aborted') || status >= 500;
}
