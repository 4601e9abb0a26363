import { isSameIncarnation, type Incarnation } from './incarnation.ts';
import type { Authority } from './leadership.ts';
import type { GroupRecord } from './record.ts';

export interface AnswerView {
  /** mayAct at the moment of sending. */
  isLeading: boolean;
  authority: Authority;
  /** From this process's own last write or direct read. */
  record?: GroupRecord;
  /** Who asks. */
  from: Incarnation;
}

/**
 * (a): may this cluster manager answer this report with a right? Only the leader, after it stamped the record with a
 * term of its own, only the holder, and never while a revoke of its own is unanswered: it may have landed.
 */
export function mayAnswer({ isLeading, authority, record, from }: AnswerView): boolean {
  if (!isLeading || !record?.holder || authority.term === undefined) return false;
  return record.term === authority.term && authority.writing !== 'revoke' && isSameIncarnation(record.holder, from);
}
