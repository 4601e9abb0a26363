import type { RecordWrite } from '../ha/action.ts';
import { mayAnswer } from '../ha/answer.ts';
import type { Incarnation } from '../ha/incarnation.ts';
import {
  noAuthority,
  onWriteRefused,
  onWriteSent,
  onWritten,
  onWriteUnanswered,
  type Authority,
} from '../ha/leadership.ts';
import type { Recorded } from '../ha/view.ts';
import type { ObjectMeta } from '../kube/types.ts';
import type { RecordStore, WriteOutcome } from './record-store.ts';

/** The record of one group together with what this process may do on its strength (protocol, CM leadership). */
export class Ledger {
  readonly #store: RecordStore;
  #authority: Authority = noAuthority;
  /** Counts the leaderships: a write of a former one gives this one nothing. */
  #reign = 0;

  constructor(store: RecordStore) {
    this.#store = store;
  }

  /** As known last, also while it has to be read again; undefined when there is none or nothing is known. */
  get recorded(): Recorded | undefined {
    return this.#store.current;
  }

  /** Term that this leader wrote into the record and got an answer for. */
  get term(): number | undefined {
    return this.#authority.term;
  }

  /** A new leadership, or its end: nothing is known and nothing is stamped. */
  reset(): void {
    this.#reign++;
    this.#authority = noAuthority;
    this.#store.doubt();
  }

  /** An agent does not obey it: what stands there may be another record by now. It is read before it is used again. */
  doubt(): void {
    this.#store.doubt();
  }

  /** What the watch shows of the record. */
  observed(version: string | undefined): void {
    this.#store.observed(version);
  }

  /** From when on it has to be read again though nothing happens, ms of the clock. */
  get doubtfulFrom(): number | undefined {
    return this.#store.doubtfulFrom;
  }

  /** The record, read directly when it is not known for certain. @throws KubeError, RecordError */
  known(): Promise<Recorded | undefined> {
    return this.#store.known();
  }

  /** (a): may this process answer `from` now? */
  mayAnswer(from: Incarnation, isLeading: boolean): boolean {
    if (!this.#store.isKnown && this.#authority.writing === undefined) return false;
    const record = this.#store.current?.record;
    return mayAnswer({ isLeading, authority: this.#authority, from, ...(record && { record }) });
  }

  /**
   * Writes over exactly the version that was decided from: it is read once more before, since a copy of an older time
   * may have taken its place (etcd restored). @param meta of the record when it is made
   */
  async write(
    write: RecordWrite,
    decidedFrom: Recorded | undefined,
    meta: ObjectMeta & { namespace: string },
  ): Promise<WriteOutcome> {
    const reign = this.#reign;
    const found = await this.#store.read();
    if (reign !== this.#reign || found?.version !== decidedFrom?.version) return 'overtaken';
    this.#authority = onWriteSent(this.#authority, write.do === 'revoke' ? 'revoke' : 'other');
    // A record that is gone is made anew, whatever is written into it.
    const send = (): Promise<WriteOutcome> =>
      found ? this.#store.replace(write.record) : this.#store.create(write.record, meta);
    const outcome = await this.#send(send, reign);
    if (reign === this.#reign) this.#authority = this.#after(outcome, write.record.term);
    return outcome;
  }

  /** An error of the server's own that stored nothing is as good as a refusal. */
  async #send(send: () => Promise<WriteOutcome>, reign: number): Promise<WriteOutcome> {
    try {
      return await send();
    } catch (error) {
      if (reign === this.#reign) this.#authority = onWriteRefused(this.#authority);
      throw error;
    }
  }

  #after(outcome: WriteOutcome, term: number): Authority {
    if (outcome === 'written') return onWritten(term);
    return outcome === 'overtaken' ? onWriteRefused(this.#authority) : onWriteUnanswered();
  }
}
