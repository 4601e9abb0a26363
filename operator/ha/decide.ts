import { bootVerdict, mayInitialize } from './boot.ts';
import { chooseSameInstance, type ChoiceReason } from './choice.ts';
import type { Evidence, MemberReport } from './evidence.ts';
import { formatIncarnation, isSameIncarnation, type Incarnation } from './incarnation.ts';
import { climb, type Climb } from './ladder.ts';
import { createRecord, grant, recordFence, revoke, type GroupRecord, type Transition } from './record.ts';

/** One group as seen at one moment. The record is read directly, and before the agents are asked. */
export interface GroupView {
  clusterUid: string;
  wanted: 'running' | 'stopped';
  /** Instance that a first creation begins with. */
  first: string;
  /** Something outside the record says that this group once ran; a missing record is a lost one then. */
  established: boolean;
  /** With the resourceVersion of its reading; undefined when there is none. */
  recorded?: { record: GroupRecord; version: string };
  evidence: Evidence;
  /** Whom the RW endpoint leads to. */
  published?: Incarnation;
  /** ISO 8601. */
  now: string;
}

/** The one next thing to do. `record` is what to write, checked against the version that was read. */
export type Action =
  | { do: 'nothing' }
  | { do: 'wait'; reason: WaitReason; message: string }
  | { do: 'create' | 'revoke' | 'recordFence' | 'grant'; record: GroupRecord }
  | { do: 'initialize' | 'demote' | 'promote' | 'publish'; on: Incarnation }
  | { do: 'withdraw' };

export type WaitReason =
  | 'ForeignRecord'
  | 'RecordLost'
  | 'RecordBehind'
  | 'ClusterManagerNeeded'
  | 'HolderSilent'
  | 'FormerStopping'
  | 'FormerNotProven'
  | ChoiceReason
  | 'VolumeUnusable'
  | 'ContainerUnknown'
  | 'HolderMayNotRun'
  | 'EngineStarting'
  | 'EngineStopping'
  | 'EngineCrashed'
  | 'EngineUnfit'
  | 'TransitionRefused';

/**
 * Next action for a group without failover (E empty): create, grant the instance that held it, keep it, stop it. The
 * first policy that has a say decides; its name goes into log and status.
 */
export function decide(view: GroupView): { policy: string; action: Action } {
  const { recorded } = view;
  if (!recorded) return { policy: 'WithoutRecord', action: withoutRecord(view) };
  const seen: Seen = { ...view, record: recorded.record, version: recorded.version };
  for (const { name, say } of policies) {
    const action = say(seen);
    if (action) return { policy: name, action };
  }
  return { policy: 'Settled', action: { do: 'nothing' } };
}

interface Seen extends GroupView {
  record: GroupRecord;
  version: string;
}
type Say = (view: Seen) => Action | undefined;

const wait = (reason: WaitReason, message: string): Action => ({ do: 'wait', reason, message });

function write(what: 'revoke' | 'recordFence' | 'grant', transition: Transition): Action {
  if (transition.ok) return { do: what, record: transition.record };
  return wait('TransitionRefused', `${what}: ${transition.reason}: ${transition.message}`);
}

/** Where nobody shall be RW nothing has to be decided: each pod goes by its own kubelet's word. */
function withoutRecord({ wanted, established, clusterUid, evidence, published }: GroupView): Action {
  if (wanted === 'stopped') return published ? { do: 'withdraw' } : { do: 'nothing' };
  if (established || evidence.reports.some(it => latestEpoch(it, clusterUid) > 0)) {
    return wait('RecordLost', 'the record of a group that has run is gone; nobody may become RW without it');
  }
  return { do: 'create', record: createRecord(clusterUid) };
}

const foreignRecord: Say = ({ record, clusterUid }) =>
  record.clusterUid === clusterUid
    ? undefined
    : wait('ForeignRecord', `the record is of a cluster with UID ${record.clusterUid}; remove it by hand if it is old`);

/** A member knows a later epoch than the record: the record came back from an older copy (etcd restored). */
const recordBehind: Say = ({ record, evidence }) => {
  const ahead = evidence.reports.find(it => latestEpoch(it, record.clusterUid) > record.epoch);
  return ahead && wait('RecordBehind', `${ahead.incarnation.instanceId} has seen a later epoch than ${record.epoch}`);
};

const clusterManagerNeeded: Say = ({ record }) =>
  record.members.length > 0 || record.k > 0
    ? wait('ClusterManagerNeeded', 'the record has members in E; only a cluster manager may decide here')
    : undefined;

const revokeUnwanted: Say = ({ record, wanted, now }) =>
  record.holder && wanted === 'stopped' ? write('revoke', revoke(record, now)) : undefined;

/** Silence alone revokes nothing: without failover nobody else could take over, and the holder may serve on. */
const revokeGone: Say = view =>
  view.record.holder && isGone(view.record.holder, view) ? write('revoke', revoke(view.record, view.now)) : undefined;

const holderSilent: Say = ({ record: { holder }, evidence }) =>
  holder && !reportOf(holder, evidence)
    ? wait('HolderSilent', `the agent of ${formatIncarnation(holder)} does not answer`)
    : undefined;

/** Asks the former holder to stop as long as it answers, and shows what proof is missing. */
const proveFormer: Say = view => {
  const { record, evidence } = view;
  if (!record.former || record.fence) return undefined;
  const climbed = ladder(view);
  if (climbed.proven) return undefined;
  const { incarnation } = record.former;
  const report = reportOf(incarnation, evidence);
  if (!report) return wait('FormerNotProven', `${formatIncarnation(incarnation)}: ${climbed.missing.join('; ')}`);
  const isStopping = report.engine.state === 'stopping' && report.highestEpoch === record.epoch;
  return isStopping ? wait('FormerStopping', 'the former RW is stopping') : { do: 'demote', on: incarnation };
};

/** Proof is written down as soon as it is seen, unless a grant can carry it. */
const keepProof: Say = view => {
  const { record, wanted } = view;
  if (!record.former || record.fence) return undefined;
  if (wanted === 'running' && !needCandidate(view)) return undefined;
  const climbed = ladder(view);
  return climbed.proven ? write('recordFence', recordFence(record, climbed.fence)) : undefined;
};

const rest: Say = ({ wanted, published }) => {
  if (wanted === 'running') return undefined;
  return published ? { do: 'withdraw' } : { do: 'nothing' };
};

const needCandidate: Say = view => {
  if (view.record.holder) return undefined;
  const choice = choose(view);
  return 'chosen' in choice ? candidateObjection(choice.chosen, view.record) : wait(choice.reason, choice.message);
};

const grantCandidate: Say = view => {
  const choice = choose(view);
  if (view.record.holder || !('chosen' in choice) || !choice.chosen.container) return undefined;
  const { incarnation: to, container: note } = choice.chosen;
  const climbed = view.record.former && !view.record.fence ? ladder(view) : undefined;
  const proof = climbed?.proven ? { fence: climbed.fence } : {};
  return write('grant', grant(view.record, { to, note, members: [], k: 0, ...proof }));
};

const promoteHolder: Say = ({ record, evidence }) => {
  const report = record.holder && reportOf(record.holder, evidence);
  if (!report || isServing(report)) return undefined;
  const verdict = bootVerdict({ record, me: report.incarnation, volume: report.volume });
  if (verdict.run !== 'rw') return wait('HolderMayNotRun', `${verdict.reason}: ${verdict.message}`);
  return unfit(report) ?? onTheWay(report) ?? { do: 'promote', on: report.incarnation };
};

const publishHolder: Say = ({ record: { holder }, published }) =>
  holder && !(published && isSameIncarnation(holder, published)) ? { do: 'publish', on: holder } : undefined;

const policies: readonly { name: string; say: Say }[] = [
  { name: 'ForeignRecord', say: foreignRecord },
  { name: 'RecordBehind', say: recordBehind },
  { name: 'ClusterManagerNeeded', say: clusterManagerNeeded },
  { name: 'RevokeUnwanted', say: revokeUnwanted },
  { name: 'RevokeGone', say: revokeGone },
  { name: 'HolderSilent', say: holderSilent },
  { name: 'ProveFormer', say: proveFormer },
  { name: 'KeepProof', say: keepProof },
  { name: 'Rest', say: rest },
  { name: 'NeedCandidate', say: needCandidate },
  { name: 'GrantCandidate', say: grantCandidate },
  { name: 'PromoteHolder', say: promoteHolder },
  { name: 'PublishHolder', say: publishHolder },
];

const reportOf = (who: Incarnation, { reports }: Evidence): MemberReport | undefined =>
  reports.find(it => isSameIncarnation(it.incarnation, who));

const choose = ({ record, first, evidence: { reports } }: Seen): ReturnType<typeof chooseSameInstance> =>
  chooseSameInstance({ record, first, reports });

const ladder = ({ record, version, evidence, now }: Seen): Climb =>
  climb({ record, recordVersion: version, now }, evidence);

function latestEpoch({ highestEpoch, volume }: MemberReport, clusterUid: string): number {
  return Math.max(highestEpoch ?? 0, volume.clusterUid === clusterUid ? (volume.epoch ?? 0) : 0);
}

/** A later incarnation of its instance answers, its pod is on its way out, or it is said to have ended. */
function isGone(holder: Incarnation, view: Seen): boolean {
  const { reports, pod } = view.evidence;
  const report = reportOf(holder, view.evidence);
  if (report) return report.leaving;
  const isReplaced = reports.some(it => it.incarnation.instanceId === holder.instanceId);
  return isReplaced || !pod || pod.leaving || isSaidToHaveEnded(holder, view);
}

function isSaidToHaveEnded(holder: Incarnation, { record, evidence: { pod, attestation, node } }: Seen): boolean {
  if (node?.outOfService) return true;
  if (attestation && isSameIncarnation(attestation.incarnation, holder)) return true;
  return pod?.terminated.some(it => it.containerId === record.grant?.containerId) ?? false;
}

/** Before anything is made or granted: a volume made its own by an image without the engine would look like lost data. */
function unfit({ engine, incarnation }: MemberReport): Action | undefined {
  if (engine.problem === undefined) return undefined;
  return wait('EngineUnfit', `instance ${incarnation.instanceId}: ${engine.problem}`);
}

function candidateObjection(candidate: MemberReport, record: GroupRecord): Action | undefined {
  const objection = unfit(candidate);
  if (objection) return objection;
  if (mayInitialize(record, candidate.volume)) return { do: 'initialize', on: candidate.incarnation };
  const verdict = bootVerdict({
    record: asIfGranted(record, candidate),
    me: candidate.incarnation,
    volume: candidate.volume,
  });
  if (verdict.run !== 'rw') return wait('VolumeUnusable', `${candidate.incarnation.instanceId}: ${verdict.message}`);
  if (candidate.container) return undefined;
  return wait('ContainerUnknown', `the kubelet has not reported the container of ${candidate.incarnation.instanceId}`);
}

/** What the boot rule would say after the grant: nobody is granted who could not run then. */
const asIfGranted = (record: GroupRecord, { incarnation }: MemberReport): GroupRecord => ({
  ...record,
  holder: incarnation,
});

const isServing = ({ engine }: MemberReport): boolean =>
  engine.role === 'rw' && engine.state === 'running' && engine.acceptsWrites;

/** A promotion that is under way, or an engine that the agent itself brings back, is not commanded again. */
function onTheWay({ engine }: MemberReport): Action | undefined {
  if (engine.role !== 'rw') return undefined;
  if (engine.state === 'crashed') return wait('EngineCrashed', 'the RW engine crashed; its agent restarts it');
  if (engine.state === 'stopping') return wait('EngineStopping', 'the RW engine is stopping');
  const isComing = engine.state === 'starting' || engine.state === 'running';
  return isComing ? wait('EngineStarting', 'the RW engine does not accept writes yet') : undefined;
}
