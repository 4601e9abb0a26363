import type { OperationRecord } from './record.ts';

/** Where the record of one operation is kept. */
export interface Journal {
  /** The newest record; never one that is older than what this process has saved. */
  load(): Promise<OperationRecord>;
  /**
   * Replaces `base`, which is the record that was loaded or saved last.
   * @throws JournalConflict when somebody else has changed the record since, or the operation is gone
   */
  save(next: OperationRecord, base: OperationRecord): Promise<void>;
}

/** What was seen is out of date. Not a failed attempt: look again. */
export class JournalConflict extends Error {
  constructor(operation: string, options?: ErrorOptions) {
    super(`the record of operation ${operation} was changed by somebody else`, options);
    this.name = 'JournalConflict';
  }
}
