import type { RequestVerdict } from '../ha/action.ts';
import type { GroupRecord } from '../ha/record.ts';
import type { HaRequest } from '../ha/view.ts';
import { recordOf } from '../workflow/operation-journal.ts';
import { queueOf, whyForFormer, type QueuedOperation } from '../workflow/operations.ts';
import { cancelled, isFinished, type OperationRecord } from '../workflow/record.ts';
import type { RawOperation } from '../kinds/mpd.ts';

/** An operation that this part carries out itself, so that it works without the operator. */
export interface Asked {
  object: RawOperation;
  /** Absent: nothing is done for it any more, and why. */
  request?: HaRequest;
  calledOff?: string;
}

/** The life of the cluster that is asked. */
export interface Life {
  /** RFC 3339. */
  since: string | undefined;
  record: GroupRecord | undefined;
}

interface Listed extends QueuedOperation {
  object: RawOperation;
}

const STEP = 'SwitchRw';

/**
 * What is asked for now: a forced failover before all others, else the switchover that was accepted, else one whose turn it
 * is. It passes what is interrupted: that waits for a person, who may want the RW elsewhere just for that.
 */
export function askedFor(operations: readonly RawOperation[], life: Life): Asked | undefined {
  const listed = operations.map((object): Listed => {
    const { name, creationTimestamp: createdAt = '' } = object.metadata;
    const { phase, finishedAt } = recordOf(object);
    return { name, createdAt, phase, ...(finishedAt !== undefined && { finishedAt }), object };
  });
  const forced = listed.filter(it => it.object.spec.type === 'forceFailover' && !isFinished(it));
  const accepted = listed.find(it => !isFinished(it) && requestOf(it.object)?.acceptedEpoch !== undefined);
  const found = forced[0] ?? accepted ?? queueOf(listed.filter(it => it.phase !== 'Interrupted')).run;
  return found && asked(found.object, life);
}

/** The journal of the operation after this verdict. */
export function journalAfter(object: RawOperation, verdict: RequestVerdict, now: string): OperationRecord {
  const { startedAt = now, data, ...rest } = recordOf(object);
  const { outcome, reason, message, epoch, target } = verdict;
  const known = { ...data, epoch: String(epoch), ...(target !== undefined && { target }) };
  const step = { name: STEP, attempts: 1, startedAt };
  if (outcome === 'accepted') {
    return {
      ...rest,
      phase: 'Running',
      reason,
      message,
      startedAt,
      data: known,
      steps: [{ ...step, state: 'Running' }],
    };
  }
  const isDone = outcome === 'done';
  const state = isDone ? 'Succeeded' : 'Failed';
  const steps = [{ ...step, state, finishedAt: now, reason, message } as const];
  return { ...rest, phase: state, reason, message, startedAt, finishedAt: now, data: known, steps };
}

/** The journal of an operation that was called off. */
export function journalCancelled(object: RawOperation, message: string, now: string): OperationRecord {
  return cancelled(recordOf(object), message, now);
}

const KINDS: Partial<Record<RawOperation['spec']['type'], HaRequest['kind']>> = {
  switchRw: 'switchover',
  forceFailover: 'force',
};

function asked(object: RawOperation, life: Life): Asked | undefined {
  const request = requestOf(object);
  const calledOff = request && whyCalledOff(object, request, life);
  return calledOff === undefined ? request && { object, request } : { object, calledOff };
}

/**
 * What its owner called off ends while nothing has happened for it: until the RW has lost its right, by force until somebody
 * is granted.
 */
function whyCalledOff(
  { metadata, spec }: RawOperation,
  request: HaRequest,
  { since, record }: Life,
): string | undefined {
  const isWithdrawn = spec.cancelled === true && isUntouched(request, record);
  return whyForFormer(metadata.creationTimestamp, since) ?? (isWithdrawn ? 'cancelled on request' : undefined);
}

function isUntouched({ kind, acceptedEpoch }: HaRequest, record: GroupRecord | undefined): boolean {
  if (acceptedEpoch === undefined || !record) return true;
  return acceptedEpoch >= record.epoch || (kind === 'force' && !record.holder);
}

function requestOf({ spec, metadata, status }: RawOperation): HaRequest | undefined {
  const kind = KINDS[spec.type];
  if (!kind) return undefined;
  const target = (spec.switchRw ?? spec.forceFailover)?.instance;
  const epoch = Number(recordOf(status ? { status } : {}).data.epoch ?? 0);
  return {
    kind,
    id: metadata.uid ?? metadata.name,
    by: spec.requestedBy ?? 'user',
    ...(target !== undefined && { target }),
    ...(epoch > 0 && { acceptedEpoch: epoch }),
  };
}
