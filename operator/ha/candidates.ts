import { bootVerdict, type BootVerdict } from './boot.ts';
import type { HeardReport } from './evidence.ts';
import { formatIncarnation, isSameIncarnation } from './incarnation.ts';
import { comparePosition, type LogPosition } from './lsn.ts';
import type { Member } from './record.ts';
import { alive, instanceOf, isEligible, isFollowing, type Seen } from './sight.ts';

/** A member that answered `prepare` in this epoch: it is cut from the former RW, so its log stays as it says. */
export interface Answer {
  report: HeardReport;
  position: LogPosition;
  /** Of E; undefined for others, whose answers count for nobody's quorum. */
  member?: Member;
  /** The very incarnation that E names. Else a later one, of an instance whose incarnation in E is proven ended. */
  isOriginal: boolean;
}

/** All answers to this epoch. */
export const answersOf = (view: Seen): Answer[] =>
  alive(view).flatMap(report => {
    const { prepared } = report;
    if (prepared?.epoch !== view.record.epoch || prepared.timeline === undefined || prepared.lsn === undefined)
      return [];
    const position = { timeline: prepared.timeline, lsn: prepared.lsn };
    const member = memberFor(view, report);
    const isOriginal = member !== undefined && isSameIncarnation(member.incarnation, report.incarnation);
    return [{ report, position, isOriginal, ...(member && { member }) }];
  });

/** How many of E have to answer: any so many have one among them that holds what was acknowledged last. */
export const answersNeeded = ({ record: { members, k } }: Seen): number => members.length - k + 1;

/** Can a quorum answer at all? With k = 0 an acknowledged row may be on no member. */
export const hasQuorum = ({ record: { members, k } }: Seen): boolean => k > 0 && members.length > 0;

/**
 * The member of E that this report speaks for. Its volume counts for data when its own container is proven ended: a
 * living one could still acknowledge rows that this answer does not know.
 */
function memberFor({ record, memory }: Seen, { incarnation }: HeardReport): Member | undefined {
  const own = record.members.find(it => isSameIncarnation(it.incarnation, incarnation));
  if (own) return own;
  return record.members.find(
    it => it.incarnation.instanceId === incarnation.instanceId && memory.ended.has(formatIncarnation(it.incarnation)),
  );
}

/** Best first: how far its log goes; among equals the wanted target, then one that will stay, then the order of E. */
export function rank(view: Seen, answers: readonly Answer[]): Answer[] {
  const cost = ({ report: { incarnation } }: Answer): number =>
    (incarnation.instanceId === view.request?.target ? 0 : 2) + (instanceOf(view, incarnation)?.isLeaving ? 1 : 0);
  return [...answers].sort((a, b) => comparePosition(b.position, a.position) || cost(a) - cost(b));
}

/**
 * Could one of the members take over at once? Asked before a revoke, which has no way back: enough of E answer, as far
 * as their last reports tell.
 */
export function areSuccessorsReady(view: Seen): boolean {
  if (view.topology === 'share') return readyFollowers(view).some(it => isReadyOnVolume(view, it));
  return hasQuorum(view) && readyMembers(view).length >= answersNeeded(view);
}

/** Whose absence keeps the others from taking over, in words for people who look why nobody does. */
export function missingSuccessors(view: Seen): string {
  if (view.topology === 'share') return 'no other instance stands ready';
  if (!hasQuorum(view)) return 'no other instance is known to hold every acknowledged row';
  return shortOfQuorum(view, readyMembers(view), 'are ready to take over');
}

/** How many of the members that are needed do `what`, and who does not. */
export function shortOfQuorum(view: Seen, present: readonly Member[], what: string): string {
  const absent = view.record.members.filter(it => !present.includes(it)).map(it => it.incarnation.instanceId);
  const names = absent.join(', ') || 'none';
  return `${present.length} of the ${answersNeeded(view)} members of E that are needed ${what} (missing: ${names})`;
}

/** Members of E whose last reports say that they could answer. */
function readyMembers(view: Seen): Member[] {
  const ready = readyFollowers(view);
  return view.record.members.filter(m => ready.some(it => isSameIncarnation(m.incarnation, it.incarnation)));
}

const readyFollowers = (view: Seen): HeardReport[] =>
  alive(view).filter(it => isFollowing(it) && isEligible(view, it.incarnation));

/** On a shared volume: one that may run and, where followers stream, has an engine that is up. */
export const isReadyOnVolume = (view: Seen, report: HeardReport): boolean =>
  isFit(view, report) && (!view.isStreaming || report.engine.state === 'running');

/** Could it run as RW if it were granted? */
export function isFit(view: Seen, report: HeardReport): boolean {
  if (report.engine.problem !== undefined || !report.container) return false;
  return verdictAsHolder(view, report).run === 'rw';
}

/** What the boot rule would say of it after a grant. */
export const verdictAsHolder = ({ record }: Seen, { incarnation, volume }: HeardReport): BootVerdict =>
  bootVerdict({ record: { ...record, holder: incarnation }, me: incarnation, volume });
