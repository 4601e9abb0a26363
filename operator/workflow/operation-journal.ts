import { isDeepStrictEqual } from 'node:util';
import { JournalConflict } from './journal.ts';
import type { Journal } from './journal.ts';
import { emptyRecord, isFinished } from './record.ts';
import type { OperationRecord } from './record.ts';

/**
 * Journals in the status of MPDOperation objects. Problem: an informer's cache lags behind our own writes, and a step
 * that runs by a stale record runs twice. So the first load of an operation reads the API server directly, later loads
 * return what this process wrote last (nobody else writes this status), and a write names the version that it
 * replaces. A write that failed, or whose answer was lost, makes the next load direct again.
 */

export interface OperationRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What is needed of an MPDOperation. */
export interface OperationObject {
  readonly metadata: { readonly uid?: string; readonly resourceVersion?: string; readonly generation?: number };
  readonly status?: Partial<OperationRecord>;
}

export interface OperationStore {
  /** Direct read; undefined when there is no such object. */
  get(ref: OperationRef): Promise<OperationObject | undefined>;
  /** JSON merge patch of the status subresource (null removes), refused unless the object has that version. */
  patchStatus(ref: OperationRef, status: object, resourceVersion: string): Promise<OperationObject>;
  /** Does this error mean that the object has another version, or is gone? */
  isConflict(error: unknown): boolean;
}

/** Saves per record that others' edits of the object (labels, spec) may disturb. */
const SAVE_TRIES = 5;

const FIELDS = [
  'phase',
  'steps',
  'reason',
  'component',
  'message',
  'advice',
  'data',
  'startedAt',
  'finishedAt',
] as const;

interface Known {
  version: string;
  generation: number | undefined;
  record: OperationRecord;
}

export class OperationJournals {
  private readonly store: OperationStore;
  private readonly known = new Map<string, Known>();

  constructor(store: OperationStore) {
    this.store = store;
  }

  of(ref: OperationRef): Journal {
    return {
      load: async () => (this.known.get(ref.uid) ?? (await this.read(ref))).record,
      save: (next, base) => this.save(ref, next, base),
    };
  }

  /** To be called when the object is gone; what is finished is forgotten by itself. */
  forget(uid: string): void {
    this.known.delete(uid);
  }

  private async save(ref: OperationRef, next: OperationRecord, base: OperationRecord): Promise<void> {
    let seen = this.known.get(ref.uid) ?? (await this.read(ref));
    for (let tries = 0; tries < SAVE_TRIES; tries++) {
      if (isSame(seen.record, next)) return;
      if (!isSame(seen.record, base)) break;
      this.known.delete(ref.uid);
      const written = await this.write(ref, next, seen);
      if (written) {
        this.remember(ref, written);
        return;
      }
      seen = await this.read(ref);
    }
    throw new JournalConflict(ref.name);
  }

  /** Undefined: the version was another one. */
  private async write(ref: OperationRef, next: OperationRecord, seen: Known): Promise<Known | undefined> {
    const status = { ...statusPatch(next), observedGeneration: seen.generation };
    try {
      const written = await this.store.patchStatus(ref, status, seen.version);
      return { version: written.metadata.resourceVersion ?? '', generation: written.metadata.generation, record: next };
    } catch (error) {
      if (this.store.isConflict(error)) return undefined;
      throw error;
    }
  }

  private async read(ref: OperationRef): Promise<Known> {
    const object = await this.store.get(ref);
    if (object?.metadata.uid !== ref.uid) throw new JournalConflict(ref.name);
    const { resourceVersion = '', generation } = object.metadata;
    const read = { version: resourceVersion, generation, record: recordOf(object) };
    this.remember(ref, read);
    return read;
  }

  private remember(ref: OperationRef, known: Known): void {
    if (isFinished(known.record)) this.known.delete(ref.uid);
    else this.known.set(ref.uid, known);
  }
}

/** The record in an object's status; an operation without one has not begun. */
export function recordOf(object: Pick<OperationObject, 'status'>): OperationRecord {
  const { status = {} } = object;
  const kept = Object.fromEntries(FIELDS.filter(field => status[field] != null).map(field => [field, status[field]]));
  return { ...emptyRecord, ...kept };
}

/** A merge patch that leaves exactly this record. Keys of `data` are only ever added. */
function statusPatch(record: OperationRecord): Record<string, unknown> {
  return Object.fromEntries(FIELDS.map(field => [field, record[field] ?? null]));
}

/** Equal as JSON: an absent field and an undefined one are the same. */
function isSame(a: OperationRecord, b: OperationRecord): boolean {
  return a === b || isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
}
