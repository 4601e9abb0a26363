import type { ClusterStatus, MPDClusterStatus } from '../../crds/mpdcluster.ts';
import type { OperationType } from '../../crds/mpdoperation.ts';
import { isResumeRequested } from '../../crds/annotations.ts';
import { isReason } from '../kube/errors.ts';
import { UserError } from '../model/errors.ts';
import { TerminalError } from '../workflow/errors.ts';
import type { Journal } from '../workflow/journal.ts';
import { OperationJournals, recordOf } from '../workflow/operation-journal.ts';
import { whyForFormer } from '../workflow/operations.ts';
import { cancelled, currentStep, isFinished, type OperationRecord } from '../workflow/record.ts';
import { requestCancel, requestResume, runOnce, type FlowEvent, type RunResult } from '../workflow/runner.ts';
import type { Flow } from '../workflow/step.ts';
import type { ClusterContext, Tools } from './context.ts';
import { FLOWS, STATUS_AFTER, STATUS_WHILE } from './flows/flows.ts';
import { MPD_OPERATIONS, type RawOperation } from '../kinds/mpd.ts';
import { isOfFormer, isRevoked, type ListedOperation } from './operations.ts';
import type { Verdict } from './status.ts';

export interface RanOperation {
  verdict: Verdict;
  isDone: boolean;
  requeueAfterMs?: number;
}

/** Runs the flow of one operation as far as it goes now, and says what to report of it. */
export class OperationRunner {
  readonly #journals: OperationJournals;

  constructor({ client }: Pick<Tools, 'client'>) {
    this.#journals = new OperationJournals({
      get: ref => client.get(MPD_OPERATIONS, ref),
      patchStatus: (ref, status, resourceVersion) =>
        client.patchStatus(MPD_OPERATIONS, ref, status, { resourceVersion }),
      isConflict: error => isReason(error, 'Conflict') || isReason(error, 'NotFound'),
    });
  }

  async run(context: ClusterContext, operation: ListedOperation): Promise<RanOperation> {
    const { record, requeue } = await runOnce(flowOf(context, operation), this.#journalOf(operation), context, {
      operation: operation.object.metadata.uid ?? '',
      now: () => context.tools.now().getTime(),
      random: Math.random,
      isCancelled: () => isCancelled(context, operation),
      observe: event => {
        logFlow(context, event);
        recordEnd(context, event);
        context.tools.flowEvents(event);
      },
    });
    return { ...report(context, operation, record), requeueAfterMs: isFinished(record) ? 0 : requeueAfter(requeue) };
  }

  /** What a person says to an interrupted operation: go on, or stop for good. False when nothing was said. */
  async answer(context: ClusterContext, operation: ListedOperation): Promise<boolean> {
    const journal = this.#journalOf(operation);
    if (isCancelled(context, operation)) {
      await requestCancel(flowOf(context, operation), journal, context.tools.now().getTime());
      return true;
    }
    if (!isResumeRequested(context.cluster.metadata.annotations)) return false;
    await requestResume(journal);
    return true;
  }

  /**
   * Ends what was asked of a former cluster of this name: its flow would work on this one.
   * @param seen as the watch shows them
   * @returns the others
   */
  async withoutFormer(context: ClusterContext, seen: readonly RawOperation[]): Promise<RawOperation[]> {
    const others: RawOperation[] = [];
    for (const object of seen) {
      const why = whyForFormer(object.metadata.creationTimestamp, context.cluster.metadata.creationTimestamp);
      // What has ended is kept for the history; what that cluster owned goes as it did.
      if (why === undefined || isFinished(recordOf(object)) || isOfFormer(object, context.cluster)) others.push(object);
      else await this.#callOff(context, object, why);
    }
    return others;
  }

  async #callOff({ tools }: ClusterContext, object: RawOperation, why: string): Promise<void> {
    const journal = this.#journalOf({ object });
    const record = await journal.load();
    if (isFinished(record)) return;
    await journal.save(cancelled(record, why, tools.now().toISOString()), record);
    tools.log.info('called off an operation', { operation: object.metadata.name, why });
  }

  #journalOf({ object }: Pick<ListedOperation, 'object'>): Journal {
    const { name, namespace = '', uid = '' } = object.metadata;
    return this.#journals.of({ name, namespace, uid });
  }
}

/** A deletion goes on whoever calls it off: nobody can take it back from the API server. */
const isCancelled = ({ cluster }: ClusterContext, { object, type }: ListedOperation): boolean =>
  type !== 'delete' && (object.spec.cancelled === true || isRevoked(cluster, type));

/** What an operation that does not run now means for its cluster. */
export const verdictOf = (context: ClusterContext, operation: ListedOperation): Verdict =>
  report(context, operation, recordOf(operation.object)).verdict;

/** A wait without a date is woken by a watch; it is looked at now and then all the same, ms. */
const LONGEST_MS = 3_600_000;

function requeueAfter(requeue: RunResult['requeue']): number | undefined {
  return requeue && Math.min(requeue.afterMs, LONGEST_MS);
}

/** A type that this release cannot do fails at once and says so; it interrupts nothing. */
function flowOf({ cluster }: ClusterContext, { type }: ListedOperation): Flow<ClusterContext> {
  // Protection of clusters looks at their deletion; an operation made by hand must not get past it.
  if (type === 'delete' && !cluster.metadata.deletionTimestamp) {
    return refusal(type, new UserError('spec.type', 'delete follows from the deletion of the cluster: ask for that'));
  }
  const advice = `this release does: ${Object.keys(FLOWS).join(', ')}`;
  return FLOWS[type] ?? refusal(type, new TerminalError('NOT_AVAILABLE', type, advice));
}

const refusal = (type: string, error: Error): Flow<ClusterContext> => {
  return { name: type, steps: [{ name: 'Refuse', run: () => Promise.reject(error) }] };
};

function report(context: ClusterContext, { type, name }: ListedOperation, record: OperationRecord): RanOperation {
  const before = context.cluster.status.clusterStatus || 'Creating';
  if (record.phase === 'Succeeded') {
    return { isDone: true, verdict: { clusterStatus: statusOf(STATUS_AFTER, type, before) } };
  }
  const operation = summary(type, name, record);
  const waiting = { reason: operation.reason ?? 'InProgress', message: operation.message ?? `${type} is going on` };
  if (record.phase === 'Interrupted')
    return { isDone: false, verdict: { clusterStatus: 'Interrupt', operation, waiting } };
  if (isFinished(record)) {
    return {
      isDone: true,
      verdict: {
        clusterStatus: wordWithout(type, context),
        waiting: { ...waiting, reason: `Operation${record.phase}` },
      },
    };
  }
  return { isDone: false, verdict: { clusterStatus: statusOf(STATUS_WHILE, type, before), operation, waiting } };
}

/** An operation that was given up takes its word with it. */
function wordWithout(type: OperationType, { cluster }: ClusterContext): ClusterStatus {
  const before = cluster.status.clusterStatus || 'Creating';
  if (before !== 'Interrupt' && before !== STATUS_WHILE[type]) return before;
  return type === 'create' ? 'Creating' : 'Running';
}

const statusOf = (
  table: Partial<Record<string, ClusterStatus>>,
  type: string,
  otherwise: ClusterStatus,
): ClusterStatus => table[type] ?? otherwise;

function summary(type: string, name: string, record: OperationRecord): NonNullable<MPDClusterStatus['operation']> {
  const step = currentStep(record);
  const reason = record.reason ?? step?.reason;
  const message = [record.message ?? step?.message, record.advice].filter(Boolean).join('; ');
  return { name, type, ...(step && { step: step.name }), ...(reason && { reason }), ...(message && { message }) };
}

function logFlow({ tools, plan }: ClusterContext, event: FlowEvent): void {
  const { flow, kind, step, attempt, seconds, outcome, error } = event;
  const what = outcome?.kind === 'wait' ? { reason: outcome.reason, message: outcome.message } : {};
  const meta = { cluster: plan.name, namespace: plan.namespace, operation: flow, step, attempt, seconds, ...what };
  if (kind === 'failed') tools.log.warn('step failed', { ...meta, error });
  else tools.log.info(`step ${kind}`, meta);
}

/** The end of an operation as an Event of the cluster: `OperationSucceeded`, `OperationInterrupted` ... */
function recordEnd({ tools, object }: ClusterContext, { flow, record, kind }: FlowEvent): void {
  const isInterrupted = kind === 'failed' && record.phase === 'Interrupted';
  if (kind !== 'ended' && !isInterrupted) return;
  const why = [record.reason, record.message, record.advice].filter(Boolean).join(': ');
  const type = record.phase === 'Succeeded' ? 'Normal' : 'Warning';
  tools.events.record(object, { type, reason: `Operation${record.phase}`, message: why ? `${flow}: ${why}` : flow });
}
