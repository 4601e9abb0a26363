import type { RequestVerdict } from '../ha/action.ts';
import type { GroupRecord } from '../ha/record.ts';
import type { HaRequest } from '../ha/view.ts';
import { recordOf } from '../workflow/operation-journal.ts';
import { queueOf, type QueuedOperation } from '../workflow/operations.ts';
import { isFinished, type OperationRecord } from '../workflow/record.ts';
import type { RawOperation } from '../kinds/mpd.ts';

/** An operation that this part carries out itself, so that it works without the operator. */
export interface Asked {
  object: RawOperation;
  request: HaRequest;
  /** Its owner has called it off. */
  isCancelled: boolean;
}

interface Listed extends QueuedOperation {
  object: RawOperation;
}

const STEP = 'SwitchRw';

/**
 * What is asked for now: a forced failover before all others, else the switchover that was accepted, else one whose turn it
 * is. It passes what is interrupted: that waits for a person, who may want the RW elsewhere just for that.
 */
export function askedFor(operations: readonly RawOperation[]): Asked | undefined {
  const listed = operations.map((object): Listed => {
    const { name, creationTimestamp: createdAt = '' } = object.metadata;
    const { phase, finishedAt } = recordOf(object);
    return { name, createdAt, phase, ...(finishedAt !== undefined && { finishedAt }), object };
  });
  const forced = listed.filter(it => it.object.spec.type === 'forceFailover' && !isFinished(it));
  const accepted = listed.find(it => !isFinished(it) && asked(it.object)?.request.acceptedEpoch !== undefined);
  const found = forced[0] ?? accepted ?? queueOf(listed.filter(it => it.phase !== 'Interrupted')).run;
  return found && asked(found.object);
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

/**
 * May it end here, as its owner wants? Until the RW has lost its right for it nothing has happened; by force, nothing that
 * costs rows before somebody is granted.
 */
export function isCalledOff({ request, isCancelled }: Asked, record: GroupRecord | undefined): boolean {
  const { kind, acceptedEpoch } = request;
  if (!isCancelled || acceptedEpoch === undefined || !record) return isCancelled;
  return acceptedEpoch >= record.epoch || (kind === 'force' && !record.holder);
}

/** The journal of an operation that was called off. */
export function journalCancelled(object: RawOperation, now: string): OperationRecord {
  return {
    ...recordOf(object),
    phase: 'Cancelled',
    reason: 'CANCELLED',
    message: 'cancelled on request',
    finishedAt: now,
  };
}

const KINDS: Partial<Record<RawOperation['spec']['type'], HaRequest['kind']>> = {
  switchRw: 'switchover',
  forceFailover: 'force',
};

function asked(object: RawOperation): Asked | undefined {
  const { spec, metadata } = object;
  const kind = KINDS[spec.type];
  if (!kind) return undefined;
  const target = (spec.switchRw ?? spec.forceFailover)?.instance;
  const epoch = Number(recordOf(object).data.epoch ?? 0);
  const request: HaRequest = {
    kind,
    id: metadata.uid ?? metadata.name,
    by: spec.requestedBy ?? 'user',
    ...(target !== undefined && { target }),
    ...(epoch > 0 && { acceptedEpoch: epoch }),
  };
  return { object, request, isCancelled: spec.cancelled === true };
}
