import { JournalConflict } from '../journal.ts';
import type { Journal } from '../journal.ts';
import { emptyRecord } from '../record.ts';
import type { OperationRecord } from '../record.ts';

/** A journal that outlives the runner, as an API server does: what is saved goes through JSON. */
export class MemoryJournal implements Journal {
  writes = 0;
  private text: string;

  constructor(record: OperationRecord = emptyRecord) {
    this.text = JSON.stringify(record);
  }

  get record(): OperationRecord {
    return JSON.parse(this.text) as OperationRecord;
  }

  load(): Promise<OperationRecord> {
    return Promise.resolve(this.record);
  }

  save(next: OperationRecord, base: OperationRecord): Promise<void> {
    if (JSON.stringify(base) !== this.text) return Promise.reject(new JournalConflict('memory'));
    this.text = JSON.stringify(next);
    this.writes++;
    return Promise.resolve();
  }
}
