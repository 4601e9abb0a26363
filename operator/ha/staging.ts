import type { Command } from './action.ts';
import type { HeardReport } from './evidence.ts';
import type { GroupRecord } from './record.ts';
import { isEligible, type Seen } from './sight.ts';

/**
 * A setting of synchronous replication that an RW has to have before it is promoted; undefined when it has it. A promotion
 * takes what is recorded by itself. `required` after a grant that nobody else was equal for: commits wait for whoever comes
 * first. (The engine may be stricter than the record, never looser.)
 */
export function stricterSetting(view: Seen, granted: GroupRecord, to: HeardReport): QuorumCommand | undefined {
  const { generation, members, epoch } = granted;
  const isRequired = view.topology === 'local' && view.options.durability === 'required' && epoch > 1;
  // What it took under this number, or a later one, is as strict or stricter, and it never goes back: a smaller k is
  // recorded first, under a number of its own.
  const isTaken = to.quorum !== undefined && to.quorum.generation >= generation;
  if (members.length > 0 || !isRequired || isTaken) return undefined;
  const others = view.evidence.reports
    .map(it => it.incarnation)
    .filter(it => it.instanceId !== to.incarnation.instanceId && isEligible(view, it));
  return others.length > 0 ? { do: 'quorum', on: to.incarnation, generation, members: others, k: 1 } : undefined;
}

type QuorumCommand = Extract<Command, { do: 'quorum' }>;
