import type { Command } from './action.ts';
import { climbFor } from './fence.ts';
import { formatIncarnation } from './incarnation.ts';
import { recordFence, type FormerHolder } from './record.ts';
import { wait, write, type Policy, type Said } from './said.ts';
import { alive, isFresh, reportIn, type Seen } from './sight.ts';

/** After a revoke: the former holder is told to stop, members are asked, and the proof is written down. */
export const proving: readonly Policy[] = [{ name: 'ProveFormer', say: prove }];

const PLANNED: readonly FormerHolder['cause'][] = ['Switchover', 'Drain', 'Leaving', 'Stopped'];

function prove(view: Seen): Said | undefined {
  const { record, recorded } = view;
  const { former } = record;
  if (!former || record.fence) return undefined;
  const climbed = climbFor(view, recorded);
  if (climbed.proven) return undefined;
  const commands = [...demotion(view, former), ...preparations(view, former)];
  const wakeAt = Math.min(climbed.at ?? Infinity, stopEnd(view));
  const name = formatIncarnation(former.incarnation);
  const isStopping = saysStopping(view, former);
  const message = isStopping ? 'the former RW is stopping' : `${name}: ${climbed.missing.join('; ')}`;
  const reason = isStopping ? 'FormerStopping' : 'FormerNotProven';
  return wait(reason, message, { actions: commands, ...(wakeAt < Infinity && wakeAt > view.now && { wakeAt }) });
}

/** A word of long ago says nothing of now, and would hide what a person can do. */
function saysStopping(view: Seen, former: FormerHolder): boolean {
  const report = reportIn(view, former.incarnation);
  return report !== undefined && isFresh(view, report) && report.engine.state === 'stopping';
}

/** A planned stop is a fast one for a bounded time, so that all members get the last of its log; else there is no time. */
function demotion(view: Seen, former: FormerHolder): Command[] {
  const report = reportIn(view, former.incarnation);
  if (!report) return [];
  const isFast = isPlanned(former) && report.engine.state !== 'crashed' && view.now < stopEnd(view);
  return [{ do: 'demote', on: former.incarnation, mode: isFast ? 'fast' : 'kill' }];
}

/** A stop of the whole cluster has no successor that waits for it: its agent bounds it. */
const stopEnd = ({ record: { former }, memory: { revokeKnownAt }, now, options }: Seen): number =>
  isPlanned(former) && former?.cause !== 'Stopped' ? (revokeKnownAt ?? now) + options.stopMs : Infinity;

const isPlanned = (former: FormerHolder | undefined): boolean => PLANNED.includes(former?.cause);

/**
 * Members answer how far they are, cut from the former RW for good. After a planned stop they are asked when it has
 * ended, so that they are equal; while it is not bound to end, at once.
 */
function preparations(view: Seen, former: FormerHolder): Command[] {
  const report = reportIn(view, former.incarnation);
  const isOrderly = isPlanned(former) && report !== undefined && view.now < stopEnd(view);
  return isOrderly || view.wanted === 'stopped' ? [] : preparing(view);
}

/** `prepare` to all that have not answered it in this epoch. */
export function preparing(view: Seen): Command[] {
  const { record, topology } = view;
  if (topology === 'share' && record.members.length === 0) return [];
  const former = record.former?.incarnation.instanceId;
  return alive(view)
    .filter(it => it.incarnation.instanceId !== former && it.prepared?.epoch !== record.epoch)
    .filter(it => it.engine.role !== 'rw' && it.volume.state === 'initialized')
    .map(it => ({ do: 'prepare', on: it.incarnation }));
}

/**
 * Proof that goes away with what shows it is written down when no grant can carry it soon. Expiry that was written down is
 * replaced by any other proof: those whom expiry alone lets be granted may be gone by now.
 */
export function keepProof(view: Seen): Said | undefined {
  const { record, recorded } = view;
  const isFirm = record.fence !== undefined && record.fence.rung !== 4;
  if (!record.former || isFirm) return undefined;
  const climbed = climbFor(view, recorded);
  if (!climbed.proven || climbed.fence.rung === record.fence?.rung) return undefined;
  const { rung, evidence } = climbed.fence;
  return write('recordFence', recordFence(record, climbed.fence), { message: `rung ${rung}: ${evidence}` });
}
