import { CHECKPOINT_GOES_ON, type Command } from './action.ts';
import type { HeardReport } from './evidence.ts';
import { formatIncarnation, isSameIncarnation, type Incarnation } from './incarnation.ts';
import { holderReport } from './keeping.ts';
import { alive, instanceOf, isInForce, isServing, outcomeOf, type Seen } from './sight.ts';

/** A follower that runs as it should and gets nothing from the RW for so long is made fit again, ms. */
const ASTRAY_MS = 10_000;

/** So long the disks of a new RW are its clients' and followers': a checkpoint syncs all that was written before, ms. */
const FIRST_COMMITS_MS = 1_000;

/** Commands that bring all other members to their places, each by itself; nothing waits for another's. */
export function followers(view: Seen): Command[] {
  const holder = holderReport(view);
  if (!holder || !isServing(holder)) return [];
  const others = alive(view).filter(it => it !== holder && isOwn(view, it, holder));
  if (!view.isStreaming) return others.flatMap(it => (isInPlace(view, it) ? [] : [start(view, it)]));
  const slots = slotsFor(view, holder);
  if (!isInForce(view, slots)) return others.length > 0 || view.topology === 'share' ? [slots] : [];
  return others.flatMap(it => commandFor(view, it, holder));
}

/** Another incarnation of the RW's own instance is none of its followers. */
const isOwn = (view: Seen, { incarnation, engine }: HeardReport, holder: HeardReport): boolean =>
  incarnation.instanceId !== holder.incarnation.instanceId &&
  engine.problem === undefined &&
  instanceOf(view, incarnation) !== undefined;

/** A slot for every member before any of them needs it; those of members that are gone hold WAL back and go. */
const slotsFor = (view: Seen, holder: HeardReport): Command => ({
  do: 'slots',
  on: holder.incarnation,
  instances: view.instances.map(it => it.id).filter(id => needsSlot(view, holder, id)),
});

/**
 * On one volume the RW must not write a changed page that a member with a slot has not replayed to: without the member its
 * buffers fill, and then writes hang until the slot is gone (seen on PolarDB 15.8). A member that comes back reads the log
 * from the volume, so its slot may go as soon as it neither streams nor is about to.
 */
function needsSlot(view: Seen, { incarnation, senders = [] }: HeardReport, id: string): boolean {
  if (id === incarnation.instanceId) return false;
  if (view.topology === 'local' || senders.some(it => it.incarnation.instanceId === id)) return true;
  return alive(view).some(it => it.incarnation.instanceId === id && it.engine.state !== 'crashed');
}

function commandFor(view: Seen, report: HeardReport, holder: HeardReport): Command[] {
  const { state } = report.volume;
  // Never overwritten: people decide about data of others.
  if (state === 'foreign' || isOccupied(report)) return [];
  const how = state !== 'initialized' ? 'join' : hasParted(view, report, holder) ? 'rejoin' : 'start';
  if (how === 'rejoin' && !hasCheckpoint(view, holder)) return isCalm(view) ? [checkpoint(holder)] : [];
  if (how !== 'start' || !isInPlace(view, report)) return [follow(view, report, how)];
  return restart(view, report);
}

/** A start is not waited for: of an RW that has gone meanwhile it comes to no end. */
const isOccupied = ({ task }: HeardReport): boolean => task?.state === 'running' && task.kind !== 'start';

/**
 * Its log may go on where the RW's does not: it says so, it was the RW before, or it gets nothing on an older timeline. Then
 * it is rewound, or copied anew. One that follows the RW's timeline already is in order. While it gets nothing its engine
 * cannot tell the timeline that it received, and names that of its last checkpoint: so does the former RW that stopped in
 * order, where a rewind finds nothing to do.
 */
function hasParted(view: Seen, report: HeardReport, holder: HeardReport): boolean {
  if (view.topology === 'share' || isVolumeInE(view, report.incarnation)) return false;
  if (report.needsRejoin) return true;
  if (!isOnOlderTimeline(report, holder)) return false;
  if (view.record.fence?.incarnation.instanceId === report.incarnation.instanceId && !report.isRewound) return true;
  return report.engine.state === 'running' && isStarved(view, report.incarnation);
}

/**
 * What a member of E holds counts, whatever its engine says of it: an acknowledged row may be there alone beside the RW. It
 * leaves E first (membership.ts). A volume is its instance's, also under the next incarnation.
 */
const isVolumeInE = ({ record }: Seen, { instanceId }: Incarnation): boolean =>
  record.members.some(it => it.incarnation.instanceId === instanceId);

const calmFrom = ({ memory }: Seen): number => (memory.servedSince ?? Infinity) + FIRST_COMMITS_MS;
const isCalm = (view: Seen): boolean => view.now >= calmFrom(view);

const checkpoint = ({ incarnation: on }: HeardReport): Command => ({ do: 'checkpoint', on });

/**
 * pg_rewind tells histories apart by the RW's last checkpoint: before the first one on its timeline it sees one history,
 * and all data would be copied. That of a promotion is spread over minutes, so one is asked for; one that fails is done
 * without.
 */
function hasCheckpoint(view: Seen, holder: HeardReport): boolean {
  const outcome = outcomeOf(view, checkpoint(holder));
  return outcome?.state === 'done' || (outcome?.state === 'failed' && outcome.code !== CHECKPOINT_GOES_ON);
}

/** It was told to follow this RW and has received nothing for long, though it runs. */
export function isStarved({ memory, now }: Pick<Seen, 'memory' | 'now'>, who: Incarnation): boolean {
  const since = memory.astray.get(formatIncarnation(who))?.since;
  return since !== undefined && now - since >= ASTRAY_MS;
}

/**
 * A receiver that hangs, or a connection that is neither dead nor alive, ends with the engine. Once each time: where it is
 * the way to the RW that is broken, its readers shall not lose their sessions again and again.
 */
function restart(view: Seen, { incarnation: on, engine }: HeardReport): Command[] {
  const astray = view.memory.astray.get(formatIncarnation(on));
  if (!astray || engine.state !== 'running' || !isStarved(view, on)) return [];
  const command: Command = { do: 'restart', on, since: astray.since };
  return outcomeOf(view, command)?.state === 'done' ? [] : [command];
}

function isOnOlderTimeline({ position, volume, receiver }: HeardReport, holder: HeardReport): boolean {
  const own = position?.timeline ?? volume.timeline;
  const rw = holder.position?.timeline;
  return receiver?.streaming !== true && own !== undefined && rw !== undefined && own < rw;
}

/** It was told to follow this RW with these settings, and runs. */
function isInPlace(view: Seen, { incarnation, plan, engine, settingsHash }: HeardReport): boolean {
  const { holder } = view.record;
  const runs = ['starting', 'running', 'held', 'crashed'].includes(engine.state);
  if (!runs || plan?.role !== instanceOf(view, incarnation)?.follows || settingsHash !== view.settingsHash)
    return false;
  if (!view.isStreaming) return true;
  return holder !== undefined && plan?.upstream !== undefined && isSameIncarnation(plan.upstream, holder);
}

const start = (view: Seen, report: HeardReport): Command => follow(view, report, 'start');

function follow(view: Seen, { incarnation: on }: HeardReport, how: 'join' | 'rejoin' | 'start'): Command {
  const role = instanceOf(view, on)?.follows ?? 'ro';
  const upstream = view.isStreaming && view.record.holder ? { upstream: view.record.holder } : {};
  return { do: 'follow', on, how, role, ...upstream };
}

/** When there may be something to do for a follower though nothing happens. */
export function followersAt(view: Seen): number | undefined {
  const astray = [...view.memory.astray.values()].map(it => it.since + ASTRAY_MS);
  const ends = [calmFrom(view), ...astray].filter(it => it > view.now);
  const first = Math.min(...ends);
  return first === Infinity ? undefined : first;
}
