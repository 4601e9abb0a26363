import { isSameIncarnation } from '../incarnation.ts';
import { isFirstCreation, type GroupRecord } from '../record.ts';

/** Promises about the record that hold whatever the rules are. */
export function refuseBadStep(before: GroupRecord, next: GroupRecord): void {
  if (next.epoch < before.epoch || next.epoch > before.epoch + 1) throw new Error('the epoch jumped');
  if (before.holder || !next.holder || isFirstCreation(before)) return;
  const { fence } = next;
  if (!fence || !before.former || fence.epoch !== next.epoch) throw new Error('grant without a fence record');
  if (!isSameIncarnation(fence.incarnation, before.former.incarnation))
    throw new Error('grant on the proof of another');
}
