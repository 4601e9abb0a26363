import { commandKey, commandKind, type Command } from './action.ts';
import type { HeardReport } from './evidence.ts';
import { isSameIncarnation, type Incarnation } from './incarnation.ts';
import type { CommandOutcome, GroupView, InstanceView, Recorded } from './view.ts';

/** A view that has a record: what most policies look at. */
export interface Seen extends GroupView, Recorded {
  recorded: Recorded;
}

export const reportIn = ({ evidence }: Pick<GroupView, 'evidence'>, who: Incarnation): HeardReport | undefined =>
  evidence.reports.find(it => isSameIncarnation(it.incarnation, who));

/** Heard within the time after which an agent counts as silent. */
export const isFresh = ({ now, options }: Pick<GroupView, 'now' | 'options'>, { heardAt }: HeardReport): boolean =>
  now - heardAt < options.silentMs;

/** Those that can be counted on: heard of late and not on their way out. */
export const alive = (view: GroupView): HeardReport[] =>
  view.evidence.reports.filter(it => isFresh(view, it) && !it.leaving);

/** It runs as RW and takes writes. */
export const isServing = ({ engine }: HeardReport): boolean =>
  engine.role === 'rw' && engine.state === 'running' && engine.acceptsWrites;

/** It runs as RW and takes none: it is promoted, or it answers no SQL. */
export const isMute = ({ engine }: HeardReport): boolean =>
  engine.role === 'rw' && engine.state === 'running' && !engine.acceptsWrites;

export const instanceOf = ({ instances }: GroupView, { instanceId }: Incarnation): InstanceView | undefined =>
  instances.find(it => it.id === instanceId);

/** May this instance become RW without a person? A standby never does by default (protocol, Words). */
export const isEligible = (view: GroupView, who: Incarnation): boolean => instanceOf(view, who)?.follows === 'ro';

/** How a command that this process sent for the present record stands. */
export function outcomeOf({ commands, record, settingsHash }: Seen, command: Command): CommandOutcome | undefined {
  const key = commandKey(command, record, settingsHash);
  return commands.find(it => it.key === key);
}

/** Is it done, and the last of its kind on that member? One in between has undone what was done before it. */
export function isInForce({ commands, record, settingsHash }: Seen, command: Command): boolean {
  const kind = commandKind(command, record);
  const last = commands.findLast(({ key }) => key === kind || key.startsWith(`${kind} `));
  return last?.key === commandKey(command, record, settingsHash) && last.state === 'done';
}

/** A report of an engine that is up as a follower, or stands ready on a shared volume. */
export const isFollowing = ({ engine }: HeardReport): boolean =>
  engine.role !== 'rw' && (engine.state === 'running' || engine.state === 'held');
