import type { Command } from './action.ts';
import type { HeardReport } from './evidence.ts';
import type { GroupRecord } from './record.ts';
import { isEligible, type Seen } from './sight.ts';

/**
 * The setting of synchronous replication for an RW that is granted; undefined when it has it. `required` after a grant
 * that nobody else was equal for: commits wait for whoever comes first. (The engine may be stricter than the record, never
 * looser.)
 */
export function stagedSetting(view: Seen, granted: GroupRecord, to: HeardReport): QuorumCommand | undefined {
  const { generation } = granted;
  const setting = settingOf(view, granted, to);
  if (isStaged(to, granted, setting)) return undefined;
  return { do: 'quorum', on: to.incarnation, generation, ...setting };
}

/** A promotion takes what is recorded by itself; what is stricter the engine has to have before. */
export const isStricter = ({ members }: QuorumCommand, granted: GroupRecord): boolean =>
  members.length > granted.members.length;

type QuorumCommand = Extract<Command, { do: 'quorum' }>;
type Setting = Pick<QuorumCommand, 'members' | 'k'>;

function settingOf(view: Seen, { members, k, epoch }: GroupRecord, to: HeardReport): Setting {
  const recorded = members.map(it => it.incarnation);
  const isStrict = view.topology === 'local' && view.options.durability === 'required' && epoch > 1;
  if (recorded.length > 0 || !isStrict) return { members: recorded, k };
  const others = view.evidence.reports
    .map(it => it.incarnation)
    .filter(it => it.instanceId !== to.incarnation.instanceId && isEligible(view, it));
  return { members: others, k: Math.min(1, others.length) };
}

/**
 * An engine that was never told anything waits for nobody. What it took under this number, or a later one, is as strict as
 * the record or stricter, and it never goes back: a smaller k is recorded first, under a number of its own.
 */
function isStaged({ quorum }: HeardReport, granted: GroupRecord, setting: Setting): boolean {
  if (!quorum) return setting.k === 0 && setting.members.length === 0;
  return quorum.generation >= granted.generation;
}
