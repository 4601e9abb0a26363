import fc from 'fast-check';
import { formatIncarnation, isSameIncarnation, type Incarnation } from '../incarnation.ts';
import type { Action, RecordWrite } from '../action.ts';
import type { HeardReport, QuorumReport } from '../evidence.ts';
import type { GroupRecord, Member } from '../record.ts';
import type { GroupView } from '../view.ts';
import { PromiseBroken } from './checks.ts';
import { production, type Rules } from './rules.ts';
import { NoWriter, play, schedules, type Schedule } from './schedule.ts';
import { templates, told } from './templates.ts';

/** Production with one rule taken out, by bending what its functions are shown or what they answer. */
export interface Mutation {
  /** The rule, in the protocol's words. */
  rule: string;
  rules: Rules;
  /** What happens where it is missed. */
  template: keyof typeof templates;
}

type Name = keyof typeof templates;

const habit = (rule: string, template: Name, habits: Partial<Rules['habits']>): Mutation => ({
  rule,
  template,
  rules: { ...production, habits: { ...production.habits, ...habits } },
});

const replaced = (rule: string, template: Name, rules: Partial<Rules>): Mutation => ({
  rule,
  template,
  rules: { ...production, ...rules },
});

/** Decisions that see another world. */
const shown = (rule: string, template: Name, bend: (view: GroupView) => GroupView): Mutation =>
  replaced(rule, template, {
    decide: view => production.decide(bend(view)),
    remember: view => production.remember(bend(view)),
  });

/** Decisions whose record writes are changed. */
const written = (rule: string, template: Name, change: (write: RecordWrite, view: GroupView) => Action): Mutation =>
  replaced(rule, template, {
    decide: view => {
      const decision = production.decide(view);
      return { ...decision, actions: decision.actions.map(it => ('record' in it ? change(it, view) : it)) };
    },
  });

const withReports = (view: GroupView, change: (report: HeardReport, record: GroupRecord) => HeardReport): GroupView => {
  const record = view.recorded?.record;
  if (!record) return view;
  return { ...view, evidence: { ...view.evidence, reports: view.evidence.reports.map(it => change(it, record)) } };
};

/** Whoever is of the same instance is taken for the same. */
const byInstance = (): Mutation =>
  replaced('incarnation', 'secondLife', {
    isMe: (me, named) => me.instanceId === named.instanceId,
    onRecordRead: (state, read, options) => {
      const { holder } = read.record;
      const me = holder?.instanceId === options.me.instanceId ? holder : options.me;
      return production.onRecordRead(state, read, { ...options, me });
    },
    mayAnswer: view => {
      const holder = view.record?.holder;
      return production.mayAnswer({ ...view, from: holder?.instanceId === view.from.instanceId ? holder : view.from });
    },
    decide: view => production.decide(withWords(withReports(view, asFormer))),
    remember: view => production.remember(withWords(withReports(view, asFormer))),
  });

/** Any container of the former RW's instance that ended is taken for its own. */
function withWords(view: GroupView): GroupView {
  const former = view.recorded?.record.former?.incarnation;
  if (!former) return view;
  const message = formatIncarnation(former);
  const pods = view.evidence.pods.map(pod => ({
    ...pod,
    terminated: pod.terminated.map(it => (it.message?.startsWith(`${former.instanceId}/`) ? { ...it, message } : it)),
  }));
  return { ...view, evidence: { ...view.evidence, pods } };
}

function asFormer(report: HeardReport, { former }: GroupRecord): HeardReport {
  const isOfFormer = former && report.stopped && former.incarnation.instanceId === report.incarnation.instanceId;
  return isOfFormer ? { ...report, incarnation: former.incarnation } : report;
}

/** Members that did not answer count as if they had, with nothing. */
function asIfAllAnswered(view: GroupView): GroupView {
  const { recorded, evidence } = view;
  const record = recorded?.record;
  const example = evidence.reports[0];
  if (!record || !example) return view;
  const isHeard = ({ incarnation }: Member): boolean =>
    evidence.reports.some(it => isSameIncarnation(it.incarnation, incarnation) && view.now < it.heardAt + 1400);
  const prepared = { epoch: record.epoch, timeline: 0, lsn: 0n, promiseAgeMs: 1e6 };
  const silent = record.members.filter(it => !isHeard(it));
  const reports = silent.map(({ incarnation }): HeardReport => ({
    ...example,
    ...{ incarnation, prepared, heardAt: view.now, container: undefined, stopped: undefined },
    engine: { state: 'running', role: 'ro', acceptsWrites: false },
  }));
  const others = evidence.reports.filter(it => !silent.some(m => isSameIncarnation(m.incarnation, it.incarnation)));
  return { ...view, evidence: { ...evidence, reports: [...others, ...reports] } };
}

/** A missing pod counts as one that has ended. */
function withGhost(view: GroupView): GroupView {
  const former = view.recorded?.record.former;
  const { pods } = view.evidence;
  if (!former || pods.some(it => it.uid === former.incarnation.podUid)) return view;
  const { containerId, startedAt } = former.grant;
  const message = formatIncarnation(former.incarnation);
  const ghost = {
    uid: former.incarnation.podUid,
    leaving: true,
    terminated: [{ containerId, startedAt, finishedAt: view.at, message }],
  };
  return { ...view, evidence: { ...view.evidence, pods: [...pods, ghost] } };
}

const asRenewed = (report: HeardReport, { epoch }: GroupRecord): HeardReport =>
  report.stopped ? { ...report, stopped: { ...report.stopped, epoch } } : report;

const asHolder = (report: HeardReport): HeardReport => ({
  ...report,
  volume: { ...report.volume, holder: report.incarnation },
});

/** All that answered before stay in E, equal to the winner or not. */
function withLaggards(write: RecordWrite, { recorded }: GroupView): RecordWrite {
  const { record } = write;
  const before = recorded?.record;
  if (write.do !== 'grant' || !before || !record.holder) return write;
  const { holder } = record;
  const members = before.members.filter(it => !isSameIncarnation(it.incarnation, holder));
  const k = Math.min(before.k, members.length);
  return {
    ...write,
    record: { ...record, members, k, generation: Math.max(record.generation, before.generation + 1) },
  };
}

const withoutPending = (write: RecordWrite): RecordWrite => {
  if (write.do !== 'setMembers') return write;
  const members = write.record.members.map(it => ({ ...it, pending: false }));
  return { ...write, record: { ...write.record, members } };
};

/** New members go to the engine first; the record follows when it is in effect there. */
function engineFirst(write: RecordWrite, { recorded, evidence }: GroupView): Action {
  const { record } = write;
  const { holder } = record;
  const before = recorded?.record;
  if (!before || !holder || record.members.length <= before.members.length) return write;
  const members = record.members.map(it => it.incarnation);
  const quorum = evidence.reports.find(it => isSameIncarnation(it.incarnation, holder))?.quorum;
  if (quorum && isInEffectFor(quorum, members)) {
    const full = members.map(incarnation => ({ incarnation, pending: false }));
    return { ...write, record: { ...record, members: full, k: 1, generation: quorum.generation } };
  }
  const generation = Math.max(before.generation, quorum?.generation ?? 0) + 1;
  return { do: 'quorum', on: holder, generation, members, k: Math.min(1, members.length) };
}

const isInEffectFor = (quorum: QuorumReport, members: readonly Incarnation[]): boolean =>
  quorum.isInEffect && members.every(it => quorum.members.some(other => isSameIncarnation(other, it)));

/** Members that go are taken from the record at once; the engine follows. */
function recordFirst(): Mutation {
  return replaced('removal: engine first', 'removedTooEarly', {
    decide: view => {
      const decision = production.decide(view);
      const record = view.recorded?.record;
      if (!record) return decision;
      return { ...decision, actions: decision.actions.flatMap(it => removalOf(it, record)) };
    },
  });
}

function removalOf(action: Action, record: GroupRecord): Action[] {
  if (action.do !== 'quorum' || record.holder === undefined || !isSameIncarnation(record.holder, action.on))
    return [action];
  const kept = record.members.filter(it => action.members.some(o => isSameIncarnation(o, it.incarnation)));
  if (kept.length === record.members.length || kept.length === 0 || record.k === 0) return [action];
  const { generation } = action;
  const write = { ...record, members: kept, k: Math.min(record.k, kept.length), generation };
  return [{ do: 'setMembers', record: write, message: 'record first' }];
}

/** Every rule that protocol.md says a simulation must miss, each alone. */
export const mutations: readonly Mutation[] = [
  byInstance(),
  habit('stopped: nothing of the engine in /proc', 'plannedStop', { checksProc: false }),
  habit('direct reads', 'staleReads', { readsDirectly: false }),
  habit('a prepared member is cut from the old RW', 'writesOnToOne', { prepares: 'report only' }),
  habit('cut, then report', 'writesOn', { prepares: 'report, then cut' }),
  replaced('a right counts from the sending', 'oldAnswer', { countsFrom: ({ answeredAt }) => answeredAt }),
  shown('quorum', 'pausedMember', asIfAllAnswered),
  written('E of a grant equals the winner', 'laggard', withLaggards),
  habit('a timeline is an epoch', 'sameTimeline', { numbersTimelines: false }),
  written('addition: record first', 'hangingAddition', (write, view) =>
    write.do === 'setMembers' ? engineFirst(write, view) : write,
  ),
  shown('margin', 'lastPromise', view => ({ ...view, options: { ...view.options, marginMs: 0 } })),
  habit("a new leader's stamp", 'hangingRemoval', { stampsFirst: false }),
  shown('count from knowing', 'lateRevoke', view => ({ ...view, memory: { ...view.memory, revokeKnownAt: 0 } })),
  replaced('a promote command is no right', 'latePromotion', {
    onPromoteCommand: ({ state, now, ttlMs }) => ({ ...state, right: { kind: 'answer', until: now + ttlMs } }),
  }),
  shown('a missing pod proves nothing', 'ghost', withGhost),
  recordFirst(),
  written('a new member is pending', 'unheardAddition', withoutPending),
  replaced('promises of all', 'island', {
    onPromises: (state, promises, options) =>
      production.onPromises(state, { ...promises, promised: production.promisersOf(state) }, options),
  }),
  habit('guard', 'frozenAgent', { hasGuard: false }),
  shown('a living kubelet stands behind a status', 'forgedStatus', view => {
    const { node } = view.evidence;
    return { ...view, evidence: { ...view.evidence, node: node && { ...node, leaseVersion: '999999999' } } };
  }),
  shown('rung 1 of this epoch', 'sameAgain', view => withReports(view, asRenewed)),
  replaced('renew deadline', 'islandWithLeader', { mayAct: leadership => leadership !== undefined }),
  habit('a generation never goes back', 'restartAlone', { keepsGeneration: false }),
  shown('a volume tells who was RW on it', 'twinOnItsHost', view => withReports(view, asHolder)),
];

/** Most schedules that one mutation may take. */
export const MOST_SCHEDULES = 20_000;

/** Looks for a schedule that breaks a promise without the rule: its template, and anything else now and then. */
export function find({ rules, template }: Mutation, run: { seed: number; most: number }): Found {
  const { seed, most: numRuns } = run;
  const any = fc.oneof({ weight: 4, arbitrary: told(templates[template]) }, schedules);
  const property = fc.property(any, schedule => !isBroken(schedule, rules));
  const { failed, numRuns: played, counterexample } = fc.check(property, { seed, numRuns, endOnFailure: true });
  return { schedules: played, ...(failed && counterexample && { schedule: counterexample[0] }) };
}

export interface Found {
  /** Played until then. */
  schedules: number;
  /** Undefined: none was found. */
  schedule?: Schedule;
}

function isBroken(schedule: Schedule, rules: Rules): boolean {
  try {
    play(schedule, rules);
    return false;
  } catch (error) {
    // Without a rule a group may well hang, too: that is not what is looked for.
    if (error instanceof NoWriter) return false;
    if (error instanceof PromiseBroken) return true;
    throw error;
  }
}
