import { isSameIncarnation, type Incarnation } from './incarnation.ts';
import type { CommandStamp } from './command.ts';

/**
 * The record of one group: who is RW. It is changed only by the transitions of this file, each written as one update
 * that checks resourceVersion; it is never applied and never repaired as drift (protocol, Record). Times are ISO 8601
 * and for people: no rule compares them.
 */
export interface GroupRecord {
  clusterUid: string;
  /** Grows by one with each revoke; 1 is first creation. */
  epoch: number;
  /** Term of the leader that wrote last. */
  term: number;
  /** Counts the changes of (members, k). */
  generation: number;
  /** E: who could be promoted without a person. Empty: nobody. */
  members: readonly Member[];
  /** Number of members whose acknowledgement a commit needs. */
  k: number;
  /** From the grant on it counts as RW, promoted or not. */
  holder?: Incarnation;
  /** Of the holder; there exactly while there is a holder. */
  grant?: GrantNote;
  /** Whom the ladder has to prove stopped; there from the first revoke to the next grant. */
  former?: FormerHolder;
  /** Proof for `former` while there is no holder; after a grant the proof that the grant rested on. */
  fence?: FenceRecord;
}

export interface Member {
  incarnation: Incarnation;
  /** Counts in N but may not be promoted by rung 4 yet. */
  pending: boolean;
}

/** Where the holder runs, so that it can be recognised when its pod is gone. */
export interface GrantNote {
  /** As in the pod's status, `containerd://...`. */
  containerId: string;
  /** Start of that container by the kubelet. */
  startedAt: string;
  node: string;
  /** How long a right of this holder counts at most, ms: rung 4 goes by it, whatever the options say by then. */
  ttlMs?: number;
}

export interface FormerHolder {
  incarnation: Incarnation;
  grant: GrantNote;
  revokedAt: string;
  cause?: RevokeCause;
}

/** Why a right was taken away. `Leaving`: its pod is on its way out; `Replaced`: another incarnation is there instead. */
export const REVOKE_CAUSES = [
  'Stopped',
  'Switchover',
  'Drain',
  'Forced',
  'EngineFailed',
  'HostSilent',
  'Leaving',
  'Replaced',
  'RecordRebuilt',
] as const;
export type RevokeCause = (typeof REVOKE_CAUSES)[number];

export type Rung = 1 | 2 | 3 | 4 | 5;

/** Proof that a former holder can acknowledge no write. */
export interface FenceRecord {
  incarnation: Incarnation;
  /** Epoch that the revoke began: a proof for another epoch does not count. */
  epoch: number;
  rung: Rung;
  evidence: string;
  at: string;
}

export interface GrantRequest {
  to: Incarnation;
  note: GrantNote;
  members: readonly Member[];
  k: number;
  /** Highest generation that the new holder has taken; the grant's is higher. */
  takenGeneration?: number;
  /** Needed unless it stands in the record already, or nobody ever held this group. */
  fence?: FenceRecord;
}

export type RefusalReason =
  | 'NoHolder'
  | 'HolderPresent'
  | 'NoFormerHolder'
  | 'NoFence'
  | 'FenceOfAnother'
  | 'AlreadyFenced'
  | 'NotFirstCreation'
  | 'BadQuorum'
  | 'GenerationBack';

export type Transition = { ok: true; record: GroupRecord } | { ok: false; reason: RefusalReason; message: string };

const next = (record: GroupRecord): Transition => ({ ok: true, record });
const refuse = (reason: RefusalReason, message: string): Transition => ({ ok: false, reason, message });

/** The record before the first initdb: epoch 1, nobody holds it, E empty. Created once in the life of a group. */
export function createRecord(clusterUid: string): GroupRecord {
  return { clusterUid, epoch: 1, term: 1, generation: 1, members: [], k: 0 };
}

/** Nobody ever held this group, so there is no former holder to prove. */
export const isFirstCreation = (record: GroupRecord): boolean =>
  record.epoch === 1 && !record.holder && !record.former && !record.fence;

/** Takes the right away: no holder, epoch + 1. There is no way back; the former holder is a candidate like others. */
export function revoke(record: GroupRecord, at: string, cause?: RevokeCause): Transition {
  const { holder, grant: note } = record;
  if (!holder || !note) return refuse('NoHolder', 'nobody holds the group, there is nothing to revoke');
  const former = { incarnation: holder, grant: note, revokedAt: at, ...(cause && { cause }) };
  return next({ ...standing(record), epoch: record.epoch + 1, former });
}

/**
 * Writes the proof down before anybody is granted: evidence goes away with the pod that shows it, and the pod has to
 * go before its successor of the same name can come. The first rung seen stays, except that expiry gives way to any other:
 * on expiry alone only members of E may be granted, and they may all be lost later.
 */
export function recordFence(record: GroupRecord, fence: FenceRecord): Transition {
  const objection = objectionToFence(record, fence);
  if (objection) return objection;
  const isBetter = record.fence?.rung === 4 && fence.rung !== 4;
  if (record.fence && !isBetter)
    return refuse('AlreadyFenced', `rung ${record.fence.rung} is recorded; the first rung seen stays`);
  return next({ ...record, fence });
}

/** Fence record, new holder, E and k in one write. */
export function grant(record: GroupRecord, request: GrantRequest): Transition {
  if (record.holder) return refuse('HolderPresent', 'the holder has to be revoked and proven stopped first');
  const badQuorum = objectionToQuorum(request.members, request.k);
  if (badQuorum) return refuse('BadQuorum', badQuorum);
  const fence = record.fence ?? request.fence;
  const objection = objectionToProof(record, fence);
  if (objection) return objection;
  const { to: holder, note, members, k, takenGeneration = 0 } = request;
  const isSame = isSameQuorum(record, request) && takenGeneration < record.generation;
  const generation = isSame ? record.generation : Math.max(record.generation, takenGeneration) + 1;
  const granted = { ...standing(record), holder, grant: note, members, k, generation };
  return next(fence ? { ...granted, fence } : granted);
}

/** Another (E, k), or members that are pending no more, under the generation that the RW knows it by. */
export function setMembers(
  record: GroupRecord,
  { members, k, generation }: Pick<GroupRecord, 'members' | 'k' | 'generation'>,
): Transition {
  if (!record.holder) return refuse('NoHolder', 'E changes only under an RW');
  const badQuorum = objectionToQuorum(members, k);
  if (badQuorum) return refuse('BadQuorum', badQuorum);
  if (generation < record.generation) return refuse('GenerationBack', `the generation is ${record.generation} already`);
  return next({ ...record, members, k, generation });
}

/**
 * The record that takes the place of one that was lost or came back older. It names nobody and begins a new epoch, so
 * that everything said before is late; the RW that was found running has to be proven stopped first.
 */
export function rebuild(
  record: GroupRecord | undefined,
  found: Pick<GroupRecord, 'clusterUid' | 'epoch' | 'generation'> & { former: FormerHolder },
): GroupRecord {
  const { clusterUid, epoch, generation, former } = found;
  return { clusterUid, epoch, term: (record?.term ?? 0) + 1, generation, members: [], k: 0, former };
}

/**
 * A new leader writes its term before it answers or commands, so that a former leader's late write is refused.
 * @param known highest term that is known otherwise: a record that came back older carries less, and agents refuse less
 */
export const stampTerm = (record: GroupRecord, known = 0): GroupRecord => ({
  ...record,
  term: Math.max(record.term, known) + 1,
});

/** Was this record written before that one? In one epoch it goes from nobody to one holder, and its counters only grow. */
export function isOlder(record: GroupRecord, than: GroupRecord): boolean {
  if (record.epoch !== than.epoch) return record.epoch < than.epoch;
  const isBeforeGrant = !record.holder && than.holder !== undefined;
  return isBeforeGrant || record.generation < than.generation || record.term < than.term;
}

/** What a command sent on the strength of this record carries. */
export function commandStamp({ clusterUid, epoch, term, generation }: GroupRecord): CommandStamp {
  return { clusterUid, epoch, term, generation };
}

/** What revoke and grant carry over; holder, former holder and proof are theirs to set. */
function standing({ clusterUid, epoch, term, generation, members, k }: GroupRecord): GroupRecord {
  return { clusterUid, epoch, term, generation, members, k };
}

function objectionToProof(record: GroupRecord, fence: FenceRecord | undefined): Transition | undefined {
  if (fence && record.former) return objectionToFence(record, fence);
  if (record.former) return refuse('NoFence', 'the former holder is not proven stopped');
  if (!isFirstCreation(record)) return refuse('NotFirstCreation', 'nothing says who held the group before');
  return fence && refuse('NoFormerHolder', 'nobody held the group before');
}

function objectionToFence(record: GroupRecord, fence: FenceRecord): Transition | undefined {
  if (!record.former) return refuse('NoFormerHolder', 'there is no former holder to prove stopped');
  if (fence.epoch === record.epoch && isSameIncarnation(fence.incarnation, record.former.incarnation)) return undefined;
  return refuse('FenceOfAnother', 'the proof is of another incarnation or another epoch');
}

/** @returns what is wrong with (E, k); k counts acknowledgements of members of E */
export function objectionToQuorum(members: readonly Member[], k: number): string | undefined {
  if (!Number.isInteger(k) || k < 0 || k > members.length) return `k must be 0 to ${members.length}, is ${k}`;
  const twice = members.find((m, i) => members.findIndex(o => isSameIncarnation(o.incarnation, m.incarnation)) < i);
  return twice && `member ${twice.incarnation.instanceId} stands twice in E`;
}

function isSameQuorum(a: Pick<GroupRecord, 'members' | 'k'>, b: Pick<GroupRecord, 'members' | 'k'>): boolean {
  const has = (m: Member): boolean =>
    b.members.some(o => isSameIncarnation(o.incarnation, m.incarnation) && o.pending === m.pending);
  return a.k === b.k && a.members.length === b.members.length && a.members.every(has);
}
