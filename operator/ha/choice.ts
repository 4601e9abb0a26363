import type { MemberReport } from './evidence.ts';
import type { GroupRecord } from './record.ts';

/** Whom to grant next, or why nobody yet. */
export type Choice = { chosen: MemberReport } | { reason: ChoiceReason; message: string };

export type ChoiceReason = 'TwoIncarnations' | 'InstanceDown' | 'FailoverUnavailable';

export interface ChoiceView {
  record: GroupRecord;
  /** Instance that a first creation begins with. */
  first: string;
  reports: readonly MemberReport[];
}

/**
 * The choice of a group without failover: the instance that held it comes back, in whatever incarnation is alive.
 * (Choosing among other members needs their positions; it takes this function's place then.)
 */
export function chooseSameInstance({ record, first, reports }: ChoiceView): Choice {
  const instance = record.former?.incarnation.instanceId ?? first;
  const alive = reports.filter(it => !it.leaving && it.askedAtEpoch === record.epoch);
  const own = alive.filter(it => it.incarnation.instanceId === instance);
  if (own[0] && own.length === 1) return { chosen: own[0] };
  if (own.length > 1) {
    return { reason: 'TwoIncarnations', message: `instance ${instance} answers from ${own.length} incarnations` };
  }
  if (record.former && alive.length > 0) {
    return {
      reason: 'FailoverUnavailable',
      message: `waits for instance ${instance}; promotion of another instance is not available`,
    };
  }
  return { reason: 'InstanceDown', message: `the agent of instance ${instance} does not answer` };
}
