import type { UserError } from '../operator/model/errors.ts';
import { mpdOperationSpec, OPERATION_TYPES, type MPDOperationSpec } from './mpdoperation/spec.ts';
import { mpdOperationStatus, type MPDOperationStatus } from './mpdoperation/status.ts';
import { parse, type ObjectMeta, type Parsed, type RawObject } from './object.ts';

export { mpdOperationSpec, mpdOperationStatus };
export type { MPDOperationSpec, MPDOperationSpecInput } from './mpdoperation/spec.ts';
export type { MPDOperationStatus };
export type OperationType = (typeof OPERATION_TYPES)[number];

/** One run of a flow: who asked for what, and the journal of how far it is. */
export interface MPDOperation {
  metadata: ObjectMeta;
  spec: MPDOperationSpec;
  status: MPDOperationStatus;
}

/** Reads an object of the API server. A status that is not there yet reads as Pending without steps. */
export function parseOperation(object: RawObject): Parsed<MPDOperation> {
  const spec = parse(mpdOperationSpec, object.spec ?? {}, 'spec');
  const status = parse(mpdOperationStatus, object.status ?? {}, 'status');
  if (spec.problems || status.problems) return { problems: [...(spec.problems ?? []), ...(status.problems ?? [])] };
  return { value: { metadata: object.metadata, spec: spec.value, status: status.value } };
}

/** Checks what a person writes, before an API server sees it. Problems name their field. */
export const operationProblems = (spec: unknown): UserError[] => parse(mpdOperationSpec, spec, 'spec').problems ?? [];
