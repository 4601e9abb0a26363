import type { Action, Decision } from './action.ts';
import { followers, followersAt } from './followers.ts';
import { granting } from './granting.ts';
import { holderReport, keeping } from './keeping.ts';
import { isBehind, knownTerm, latestEpoch, recordAnew } from './lost.ts';
import { membership } from './membership.ts';
import { proving } from './proving.ts';
import { createRecord, stampTerm } from './record.ts';
import { hasWitness, revoking } from './revoking.ts';
import { act, wait, type Policy, type Said } from './said.ts';
import { isServing, reportIn, type Seen } from './sight.ts';
import { forceVerdict, switching, withoutDelay } from './switching.ts';
import type { GroupView } from './view.ts';

/**
 * What a group's cluster manager does now: the one place where that is decided. The first policy about the RW that
 * decides names the decision; followers are brought to their places beside it. `view.memory` is remember's of this view.
 */
export const decide = (view: GroupView): Decision => withoutDelay(view, aboutRw(view));

function aboutRw(view: GroupView): Decision {
  const { recorded } = view;
  if (!recorded) return decision('WithoutRecord', withoutRecord(view), []);
  const seen: Seen = { ...view, recorded, ...recorded };
  for (const { name, say } of gates) {
    const said = say(seen);
    if (said) return decision(name, said, []);
  }
  const passed: Said[] = [];
  for (const { name, say } of policies) {
    const said = say(seen);
    if (!said) continue;
    if (decides(said)) return decision(name, said, passed, isRevoke(said) ? {} : beside(seen));
    passed.push(said);
  }
  return decision('Settled', {}, passed, beside(seen));
}

const decides = ({ actions, wait: reason }: Said): boolean => reason !== undefined || (actions?.length ?? 0) > 0;

/** Nothing else is begun on the strength of a record that is about to change. */
const isRevoke = ({ actions = [] }: Said): boolean => actions.some(it => it.do === 'revoke');

function beside(view: Seen): Said {
  if (view.wanted === 'stopped') return {};
  const verdict = forceVerdict(view);
  const withdrawAt = withdrawnFrom(view);
  const isAway = view.now >= withdrawAt;
  const wakeAt = Math.min(silenceAt(view) ?? Infinity, followersAt(view) ?? Infinity, isAway ? Infinity : withdrawAt);
  return {
    actions: [...followers(view), ...(isAway ? [{ do: 'withdraw' } as const] : [])],
    ...(verdict && { request: verdict }),
    ...(wakeAt < Infinity && { wakeAt }),
  };
}

function decision(policy: string, said: Said, passed: readonly Said[], side: Said = {}): Decision {
  const all = [said, ...passed, side];
  const actions: Action[] = all.flatMap(it => it.actions ?? []);
  const wakeAt = Math.min(...all.map(it => it.wakeAt ?? Infinity));
  const request = all.find(it => it.request)?.request;
  return {
    policy,
    actions,
    ...(said.wait && { wait: said.wait }),
    ...(wakeAt < Infinity && { wakeAt }),
    ...(request && { request }),
  };
}

/** Where nobody shall be RW nothing has to be decided: each pod goes by its own kubelet's word. */
function withoutRecord(view: GroupView): Said {
  const { wanted, clusterUid, evidence, memory, published } = view;
  if (wanted === 'stopped') return published ? act({ do: 'withdraw' }) : {};
  const established = view.established || memory.newest?.clusterUid === clusterUid;
  if (established || evidence.reports.some(it => latestEpoch(it, clusterUid) > 0))
    return recordAnew(view, 'RecordLost');
  return act({ do: 'create', record: createRecord(clusterUid), message: 'a new group' });
}

const foreignRecord: Policy = {
  name: 'ForeignRecord',
  say: ({ record, clusterUid }) =>
    record.clusterUid === clusterUid
      ? undefined
      : wait(
          'ForeignRecord',
          `the record is of a cluster with UID ${record.clusterUid}; remove it by hand if it is old`,
        ),
};

/** Before its term stands in the record a leader neither answers nor commands (protocol, CM leadership). */
const stamp: Policy = {
  name: 'StampTerm',
  say: view => {
    const { record, leader } = view;
    const known = Math.max(leader.term ?? 0, knownTerm(view, record));
    if (leader.term === record.term && known <= record.term) return undefined;
    if (leader.term !== undefined && record.term > leader.term) {
      return wait('LeadershipLost', `the record carries term ${record.term}, this leader's is ${leader.term}`);
    }
    return act({ do: 'stamp', record: stampTerm(record, known), message: 'a new leader takes over the record' });
  },
};

const recordBehind: Policy = {
  name: 'RecordBehind',
  say: view => (isBehind(view, view.record) ? recordAnew(view, 'RecordBehind', view.record) : undefined),
};

/** Without these nothing is decided, and nobody is commanded, on the strength of this record. */
const gates: readonly Policy[] = [foreignRecord, stamp, recordBehind];

const policies: readonly Policy[] = [...revoking, ...proving, ...granting, ...keeping, ...switching, ...membership];

/**
 * From when on the endpoint of an RW that is away leads nowhere; before that its clients are refused at once. One that
 * nobody but this process has lost sight of may serve them.
 */
function withdrawnFrom(view: Seen): number {
  const { published, memory, leader, options, record } = view;
  const report = holderReport(view);
  if (!published || (report && isServing(report))) return Infinity;
  if (record.holder && !report && !hasWitness(view, record.holder)) return Infinity;
  return Math.max(memory.servedAt ?? leader.since, leader.since) + options.withdrawMs;
}

/** When the holder counts as silent unless it is heard of before. */
function silenceAt(view: Seen): number | undefined {
  const { holder } = view.record;
  const report = holder && reportIn(view, holder);
  const at = report && report.heardAt + view.options.silentMs;
  return at !== undefined && at > view.now ? at : undefined;
}
