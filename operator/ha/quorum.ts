import type { QuorumReport } from './evidence.ts';
import { isSameIncarnation, type Incarnation } from './incarnation.ts';
import type { Lsn } from './lsn.ts';
import type { GroupRecord, Member } from './record.ts';

/** What (E, k) shall become, and what is known of the engine. */
export interface QuorumView {
  record: GroupRecord;
  /** As the RW tells; undefined: it never took a setting. */
  engine?: QuorumReport;
  wanted: { members: readonly Incarnation[]; k: number };
  /** Flushed positions of members, by the RW's word. */
  flushed: (member: Incarnation) => Lsn | undefined;
}

/** The next step of a change, one at a time. */
export type QuorumStep =
  | { do: 'record'; members: readonly Member[]; k: number; generation: number }
  | { do: 'engine'; members: readonly Incarnation[]; k: number; generation: number }
  | { do: 'awaitProof'; missing: string };

type Setting = Pick<QuorumReport, 'members' | 'k'>;

/**
 * Next step from the record's (E, k) to the wanted one (protocol, Changes of (E, k)). A generation names one setting of
 * the engine; the record reaches it in two writes (pending, then full) where members come, in one where they go.
 * - more members, or smaller k: record first, then the engine, then full members;
 * - fewer members, or larger k: engine first, then proof that the rest hold all acknowledged WAL, then the record;
 * - additions before removals, all removals in one change.
 * @returns undefined when all is as wanted, in the record and in the engine
 */
export function nextQuorumStep(view: QuorumView): QuorumStep | undefined {
  const { record, wanted } = view;
  const present = record.members.map(it => it.incarnation);
  const added = wanted.members.filter(it => !includes(present, it));
  if (wanted.k < record.k) return smallerK(view);
  if (added.length > 0) return addition(view, added);
  return engineThenRecord(view);
}

/** Without k nobody can be chosen by quorum, so all members may go with it in the same write. */
function smallerK({ record, engine, wanted }: QuorumView): QuorumStep {
  const members = wanted.members.length > 0 ? record.members : [];
  return { do: 'record', members, k: wanted.k, generation: newGeneration(record, engine) };
}

function addition({ record, engine }: QuorumView, added: readonly Incarnation[]): QuorumStep {
  const pending = added.map(incarnation => ({ incarnation, pending: true }));
  return {
    do: 'record',
    members: [...record.members, ...pending],
    k: record.k,
    generation: newGeneration(record, engine),
  };
}

/** The engine goes by what is wanted, under a generation that is the record's, or newer where the engine is first. */
function engineThenRecord(view: QuorumView): QuorumStep | undefined {
  const { record, engine, wanted } = view;
  if (!isEngineAt(view)) return { do: 'engine', ...wanted, generation: commandGeneration(view) };
  if (isRecorded(view)) return undefined;
  const missing = proofMissing(view);
  if (missing !== undefined) return { do: 'awaitProof', missing };
  const members = wanted.members.map(incarnation => ({ incarnation, pending: false }));
  return { do: 'record', members, k: wanted.k, generation: Math.max(engine?.generation ?? 0, record.generation) };
}

/** Untouched engines wait for nobody: nothing has to be said to one where nobody is wanted. */
function isEngineAt({ record, engine, wanted }: QuorumView): boolean {
  if (!engine) return wanted.members.length === 0 && record.members.length === 0;
  return engine.isInEffect && engine.generation >= record.generation && isSameSetting(engine, wanted);
}

function isRecorded({ record, engine, wanted }: QuorumView): boolean {
  const isWhole = record.members.length === wanted.members.length && record.members.every(it => !it.pending);
  return isWhole && record.k === wanted.k && record.generation === (engine?.generation ?? record.generation);
}

/** One generation never means two settings: what the engine has under the record's number has to be what is meant now. */
function commandGeneration({ record, engine, wanted }: QuorumView): number {
  const isSent = engine !== undefined && engine.generation >= record.generation && isSameSetting(engine, wanted);
  if (isSent) return engine.generation;
  const isOfRecord = record.members.length === wanted.members.length && (engine?.generation ?? 0) < record.generation;
  return isOfRecord ? record.generation : newGeneration(record, engine);
}

/** Fewer members or a larger k: k of the rest have to hold whatever was acknowledged under the former setting. */
function proofMissing({ record, engine, wanted, flushed }: QuorumView): string | undefined {
  const isNarrower = record.members.length > wanted.members.length || wanted.k > record.k;
  if (!isNarrower || wanted.k === 0) return undefined;
  const since = engine?.since;
  if (since === undefined) return 'how far the RW was when its new setting came into effect';
  const holding = wanted.members.filter(it => (flushed(it) ?? -1n) >= since);
  return holding.length >= wanted.k ? undefined : `${wanted.k} of the members that hold all acknowledged rows`;
}

const newGeneration = (record: GroupRecord, engine: QuorumReport | undefined): number =>
  Math.max(record.generation, engine?.generation ?? 0) + 1;

const includes = (list: readonly Incarnation[], it: Incarnation): boolean =>
  list.some(other => isSameIncarnation(other, it));

/** The same members, in whatever order, and the same k. */
export const isSameSetting = (a: Setting, b: Setting): boolean =>
  a.k === b.k && a.members.length === b.members.length && a.members.every(it => includes(b.members, it));
