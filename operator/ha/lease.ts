import * as z from 'zod';
import { API_GROUP } from '../model/names.ts';
import { formatIncarnation, parseIncarnation, type Incarnation } from './incarnation.ts';
import { objectionToQuorum, REVOKE_CAUSES, type GroupRecord } from './record.ts';

/** Annotation of the record's Lease with all that the Lease itself has no field for, as JSON. */
export const RECORD_ANNOTATION = `${API_GROUP}/record`;

/** The parts of a coordination.k8s.io/v1 Lease that a record uses; the rest is kept as it was read. */
export interface LeaseObject {
  apiVersion: 'coordination.k8s.io/v1';
  kind: 'Lease';
  metadata: LeaseMetadata;
  spec?: LeaseSpec;
}

export interface LeaseMetadata {
  name: string;
  namespace: string;
  resourceVersion?: string;
  annotations?: Record<string, string>;
  [other: string]: unknown;
}

export interface LeaseSpec {
  holderIdentity?: string;
  leaseTransitions?: number;
  [other: string]: unknown;
}

/** The Lease is there but is no record. Nothing may be decided from it; a person has to look. */
export class RecordError extends Error {
  readonly field: string;

  constructor(field: string, problem: string) {
    super(`record: ${field}: ${problem}`);
    this.name = 'RecordError';
    this.field = field;
  }
}

const counter = z.int().min(1);
const time = z.iso.datetime({ offset: true });
const incarnation = z.string().transform((text, context): Incarnation => {
  const parsed = parseIncarnation(text);
  if (parsed) return parsed;
  context.addIssue({ code: 'custom', message: 'is not <instance>/<pod UID>/<16 hex digits>' });
  return z.NEVER;
});
const grantNote = z.strictObject({
  containerId: z.string().min(1),
  startedAt: time,
  node: z.string().min(1),
  ttlMs: counter.optional(),
});

/** Unknown fields are refused: whoever does not know a field would lose it with its next write. */
const annotation = z.strictObject({
  clusterUid: z.string().min(1),
  term: counter,
  generation: counter,
  members: z.array(z.strictObject({ incarnation, pending: z.boolean() })),
  k: z.int().min(0),
  grant: grantNote.optional(),
  former: z
    .strictObject({ incarnation, grant: grantNote, revokedAt: time, cause: z.enum(REVOKE_CAUSES).optional() })
    .optional(),
  fence: z
    .strictObject({ incarnation, epoch: counter, rung: z.literal([1, 2, 3, 4, 5]), evidence: z.string(), at: time })
    .optional(),
});

/**
 * Reads a record.
 * @throws RecordError that names the field when the Lease does not hold a whole and consistent record
 */
export function parseRecord(lease: LeaseObject): GroupRecord {
  const epoch = lease.spec?.leaseTransitions;
  if (epoch === undefined || !Number.isInteger(epoch) || epoch < 1) {
    throw new RecordError('spec.leaseTransitions', `the epoch must be a whole number from 1, is ${epoch ?? 'missing'}`);
  }
  const holder = parseHolder(lease.spec?.holderIdentity ?? '');
  const record: GroupRecord = { ...parseAnnotation(lease), epoch, ...(holder ? { holder } : {}) };
  refuseContradictions(record);
  return record;
}

/** The Lease as it has to be written: `base` (as read, with its resourceVersion) with this record in it. */
export function formatRecord(record: GroupRecord, base: LeaseObject): LeaseObject {
  const { holder, epoch, members, former, fence, ...rest } = record;
  const text = JSON.stringify({
    ...rest,
    members: members.map(m => ({ ...m, incarnation: formatIncarnation(m.incarnation) })),
    former: former && { ...former, incarnation: formatIncarnation(former.incarnation) },
    fence: fence && { ...fence, incarnation: formatIncarnation(fence.incarnation) },
  });
  return {
    ...base,
    metadata: { ...base.metadata, annotations: { ...base.metadata.annotations, [RECORD_ANNOTATION]: text } },
    spec: { ...base.spec, holderIdentity: holder ? formatIncarnation(holder) : '', leaseTransitions: epoch },
  };
}

function parseHolder(text: string): Incarnation | undefined {
  if (text === '') return undefined;
  const holder = parseIncarnation(text);
  if (!holder) throw new RecordError('spec.holderIdentity', `"${text}" is not <instance>/<pod UID>/<16 hex digits>`);
  return holder;
}

function parseAnnotation(lease: LeaseObject): z.output<typeof annotation> {
  const where = `metadata.annotations["${RECORD_ANNOTATION}"]`;
  const text = lease.metadata.annotations?.[RECORD_ANNOTATION];
  if (text === undefined) throw new RecordError(where, 'is missing');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new RecordError(where, 'is not JSON');
  }
  const result = annotation.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new RecordError([where, ...(issue?.path ?? [])].map(String).join('.'), issue?.message ?? 'is not a record');
}

function refuseContradictions(record: GroupRecord): void {
  const { holder, grant, former, fence, epoch } = record;
  if ((holder === undefined) !== (grant === undefined)) throw new RecordError('grant', 'must stand beside a holder');
  if (holder && former) throw new RecordError('former', 'must not stand beside a holder');
  if (!holder && !former && epoch > 1) throw new RecordError('former', 'is missing: epoch > 1 had a holder');
  if (fence && fence.epoch !== epoch) throw new RecordError('fence.epoch', `is ${fence.epoch}, the epoch is ${epoch}`);
  const badQuorum = objectionToQuorum(record.members, record.k);
  if (badQuorum) throw new RecordError('k', badQuorum);
}
