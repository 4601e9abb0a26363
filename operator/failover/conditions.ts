import type { Decision } from '../ha/action.ts';
import { formatIncarnation, type Incarnation } from '../ha/incarnation.ts';
import type { GroupRecord } from '../ha/record.ts';
import { isFresh } from '../ha/sight.ts';
import type { GroupView } from '../ha/view.ts';
import type { ConditionUpdate } from '../kube/conditions.ts';
import type { Pod } from '../kube/resources.ts';
import { rwService } from '../model/names.ts';
import { isOf } from './reports.ts';
import type { GroupTarget } from './target.ts';

/** What status is told from. */
export interface StatusParts {
  target: GroupTarget;
  view: GroupView;
  decision: Decision;
  pods: readonly Pod[];
  /** Orders that failed, for people. */
  troubles: readonly string[];
  date: Date;
}

/** What stands in the record is not known: only that is told, whatever was told from it before stays. */
export const isUnreadable = ({ decision }: Pick<StatusParts, 'decision'>): boolean =>
  decision.wait?.reason === 'RecordUnreadable';

type Verdict = Omit<ConditionUpdate, 'observedGeneration'>;

/** What this part says of a group, for people and programs. Every reason stands in docs/troubleshooting.md. */
export function conditionsOf(parts: StatusParts): Verdict[] {
  if (isUnreadable(parts)) return [writerMissing(parts)];
  const { view } = parts;
  const record = view.recorded?.record;
  const fenced = record && fencedCondition(record);
  return [writerAvailable(parts), syncReplication(view), fenceStrength(view), ...(fenced ? [fenced] : [])];
}

function writerAvailable(parts: StatusParts): Verdict {
  const { target, view } = parts;
  const writer = writerOf(view);
  if (!writer) return writerMissing(parts);
  const message = `${rwService(target.name)} leads to ${writer.instanceId}`;
  return { type: 'WriterAvailable', status: 'True', reason: 'Published', message };
}

/** The RW that clients are led to, heard of late to take writes: what it said before it fell silent tells nothing of now. */
export function writerOf(view: GroupView): Incarnation | undefined {
  const holder = view.recorded?.record.holder;
  const report = view.evidence.reports.find(it => isOf(it.incarnation, holder) && isFresh(view, it));
  return holder && isOf(holder, view.published) && report?.engine.acceptsWrites ? holder : undefined;
}

/** With what a person can do about it; a cluster that is stopped lacks nothing. */
function writerMissing({ view, decision, troubles }: StatusParts): Verdict {
  const isAtRest = view.wanted === 'stopped' && !view.recorded?.record.holder;
  const usual = isAtRest ? 'Stopped' : 'NoWriter';
  const { reason = usual, message = 'no instance takes writes now' } = decision.wait ?? {};
  const all = [message, ...(isAtRest ? [] : troubles)].join('; ').slice(0, 1024);
  return { type: 'WriterAvailable', status: 'False', reason, message: all };
}

function syncReplication(view: GroupView): Verdict {
  const type = 'SyncReplication';
  if (view.topology === 'share') {
    const message = 'all instances share one volume: what is acknowledged is there for each of them';
    return { type, status: 'True', reason: 'SharedVolume', message };
  }
  const { members = [], k = 0 } = view.recorded?.record ?? {};
  const names = members.map(it => it.incarnation.instanceId).join(', ');
  if (k > 0) {
    const message = `a commit waits for ${k} of instances ${names}`;
    return { type, status: 'True', reason: 'Synchronous', message };
  }
  if (view.instances.length < 2) {
    return {
      type,
      status: 'False',
      reason: 'SingleInstance',
      message: 'there is no other instance that could hold a copy',
    };
  }
  const message =
    view.options.durability === 'required'
      ? 'no other instance can acknowledge a commit; commits wait until one can'
      : 'no other instance can acknowledge a commit; the RW goes on alone, and its rows are safe only with its volume';
  return { type, status: 'False', reason: 'NoReplica', message };
}

/** Which rungs of the ladder can prove a former RW stopped here (protocol, Ladder). */
function fenceStrength(view: GroupView): Verdict {
  const { members = [] } = view.recorded?.record ?? {};
  const canExpire = view.topology === 'local' || view.options.unfencedFailover === 'afterExpiry';
  const base = 'a former RW is proven stopped by its agent, by its kubelet, or by a word of a person';
  const hasExpiry = canExpire && members.some(it => !it.pending);
  return {
    type: 'FenceStrength',
    status: 'True',
    reason: hasExpiry ? 'AgentKubeletExpiryPerson' : 'AgentKubeletPerson',
    message: hasExpiry ? `${base}; when all are silent, by the end of its right` : base,
  };
}

/** Is the last one that lost its right proven stopped? Absent while nobody ever lost it. */
function fencedCondition({ former, fence }: GroupRecord): Verdict | undefined {
  const type = 'Fenced';
  if (fence) return { type, status: 'True', reason: `Rung${fence.rung}`, message: fence.evidence };
  if (!former) return undefined;
  const message = `${formatIncarnation(former.incarnation)} is not proven stopped yet`;
  return { type, status: 'False', reason: 'NotProven', message };
}
