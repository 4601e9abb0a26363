import type { RecordWrite } from '../ha/action.ts';
import { formatIncarnation } from '../ha/incarnation.ts';
import type { GroupRecord } from '../ha/record.ts';
import type { GroupView } from '../ha/view.ts';
import type { EventNote } from '../kube/events.ts';
import { rwService } from '../model/names.ts';
import { SwitchRecorder, type Moment, type SwitchEntry } from './history.ts';
import { isOf, type Heard } from './reports.ts';

/** A report later than this is none of a working RW any more, ms. */
const FRESH_MS = 1_000;

export interface TrackerOptions {
  /** Of the cluster. */
  name: string;
  event: (note: EventNote) => void;
  /** A change of the RW has come to its end. */
  ended: (entry: SwitchEntry) => void;
}

/** Tells the story of each change of the RW: Events on its way, an entry of the history at its end. */
export class SwitchTracker {
  readonly #options: TrackerOptions;
  readonly #recorder = new SwitchRecorder();
  /** When the holder was first heard not to take writes, not heard to take them since. */
  #troubleAt: number | undefined;
  #loss: string | undefined;

  constructor(options: TrackerOptions) {
    this.#options = options;
  }

  /** What the last grant may have lost, when it was forced in this leadership. */
  get loss(): string | undefined {
    return this.#loss;
  }

  /** A report as it came. */
  heard({ incarnation, report, at }: Heard, record: GroupRecord | undefined): void {
    if (!isOf(incarnation, record?.holder)) return;
    if (report.engine.acceptsWrites) this.#troubleAt = undefined;
    else this.#troubleAt ??= at;
  }

  /** A look at the group: a successor that takes writes has been promoted. */
  looked({ recorded, evidence, now, at }: GroupView): void {
    const holder = recorded?.record.holder;
    const report = holder && evidence.reports.find(it => isOf(it.incarnation, holder));
    if (!this.#recorder.isOpen || !holder || !report?.engine.acceptsWrites) return;
    if (this.#recorder.passed('promote', { ms: now, iso: at })) {
      this.#options.event({
        type: 'Normal',
        reason: 'Promoted',
        message: `instance ${holder.instanceId} takes writes`,
      });
    }
  }

  /** A write of the record that was stored. @param view what it was decided from */
  wrote(write: RecordWrite, policy: string, view: GroupView, now: Moment): void {
    const { record } = write;
    if (write.do === 'revoke') this.#revoked(write, policy, view, now);
    if (record.fence && (write.do === 'recordFence' || write.do === 'grant')) this.#fenced(record, now);
    if (write.do !== 'grant') return;
    this.#loss = write.loss;
    if (record.holder) this.#recorder.granted(record, write.loss, now);
  }

  published(view: GroupView, now: Moment): void {
    const holder = view.recorded?.record.holder;
    if (!holder) return;
    const to = `${rwService(this.#options.name)} leads to instance ${holder.instanceId}`;
    this.#options.event({ type: 'Normal', reason: 'WriterPublished', message: to });
    const entry = this.#recorder.published(now);
    if (!entry) return;
    const parts = Object.entries(entry.partsMs).map(([part, ms]) => `${part} ${ms}`);
    const message = `${to} after ${entry.gapMs ?? 0} ms (${parts.join(', ')})`;
    this.#options.event({ type: 'Normal', reason: 'FailoverCompleted', message });
    this.#options.ended(entry);
  }

  /** The leadership is gone: the story is told by another one. */
  forget(): void {
    this.#recorder.forget();
    this.#troubleAt = undefined;
    this.#loss = undefined;
  }

  #revoked(write: RecordWrite, policy: string, view: GroupView, now: Moment): void {
    if (view.wanted === 'stopped') return;
    const former = view.recorded?.record.holder;
    const since = this.#since(view);
    const decided = { ms: view.now, iso: view.at };
    this.#recorder.revoked(write.record, { policy, why: write.message }, { since, decided, now });
    const who = former ? formatIncarnation(former) : 'the RW';
    const type = view.request ? 'Normal' : 'Warning';
    const message = `${who} has lost its right: ${write.message}`;
    this.#options.event({ type, reason: 'FailoverStarted', message });
  }

  #fenced({ fence, epoch }: GroupRecord, now: Moment): void {
    if (!fence || !this.#recorder.passed('fence', now)) return;
    this.#options.event({
      type: 'Normal',
      reason: 'Fenced',
      message: `epoch ${epoch}, rung ${fence.rung}: ${fence.evidence}`,
    });
  }

  /** When the RW was last in order: until its trouble was told, or until it was last heard. */
  #since({ recorded, evidence, now, at }: GroupView): Moment {
    const holder = recorded?.record.holder;
    const heardAt = evidence.reports.find(it => isOf(it.incarnation, holder))?.heardAt ?? now;
    const ms = this.#troubleAt ?? (now - heardAt > FRESH_MS ? heardAt : now);
    return { ms, iso: new Date(Date.parse(at) - (now - ms)).toISOString() };
  }
}
