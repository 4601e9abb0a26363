import type { Outcome, UnderFault } from '../../e2e/support/failover.ts';
import type { SwitchEntry } from '../../operator/failover/history.ts';
import { failures, gaps } from '../load/report.ts';
import { switchOf, type FailoverPlace } from './failover-place.ts';

/** One kind of fault, caused again and again. */
export interface FailoverCase {
  name: string;
  runs: number;
  /** Of the client's gap, s. */
  median?: number;
  worst?: number;
  /** Where the leader of the cluster manager has to be: on the RW's node, or not. @default where it is */
  leader?: 'beside' | 'elsewhere';
  /** The operator has no replica from before the fault until there is a writer again. */
  withoutOperator?: boolean;
  /** Statements that fail, other than by the cut connection, are counted and promised to be none. */
  isPlanned?: boolean;
  fault(under: UnderFault, at: FailoverPlace): Promise<void>;
}

/** What the client saw of one fault, and what the cluster manager wrote about it. */
export interface FailoverRun {
  gapMs: number;
  lost: number;
  failedStatements: number;
  entry?: SwitchEntry;
}

export async function runOnce(at: FailoverPlace, one: FailoverCase): Promise<FailoverRun> {
  if (one.leader) await placeLeader(at, one.leader);
  let faultAt = Infinity;
  const outcome = await at.trial.run(async under => {
    await under.load.writes();
    if (one.withoutOperator) await at.operator.scale(0);
    try {
      faultAt = Date.now();
      await one.fault(under, at);
      await under.load.writes(120_000);
    } finally {
      if (one.withoutOperator) await at.operator.scale(2);
    }
  });
  const entry = await switchOf(at, outcome.after.record.epoch);
  return { ...seenByClient(outcome, faultAt), ...(entry && { entry }) };
}

/** The longest pause that ended after the fault: nothing else happened meanwhile. */
function seenByClient({ events, verdict }: Outcome, faultAt: number): Omit<FailoverRun, 'entry'> {
  const pauses = gaps(events, 0).filter(({ to }) => to >= faultAt);
  const failed = failures(events).filter(({ what, at }) => what === 'statement' && at >= faultAt);
  return {
    gapMs: Math.max(...pauses.map(({ ms }) => ms)),
    lost: verdict.lost.length,
    failedStatements: failed.length,
  };
}

async function placeLeader({ trial, manager }: FailoverPlace, where: 'beside' | 'elsewhere'): Promise<void> {
  const { node } = await trial.place();
  await manager.placeLeader(leader => (leader === node) === (where === 'beside'));
}
