import { createHash } from 'node:crypto';
import {
  isCancelRequested,
  OPERATION_ANNOTATION,
  readRequests,
  type AnnotationRequest,
} from '../../crds/annotations.ts';
import { isReason } from '../kube/errors.ts';
import type { ClusterContext } from './context.ts';
import { MPD_CLUSTERS, MPD_OPERATIONS } from '../kinds/mpd.ts';
import { newOperation, type ListedOperation } from './operations.ts';
import { isFinished } from '../workflow/record.ts';

/**
 * Takes in what users of the original ask for by annotation: each request becomes an operation, which is queued and tells
 * its outcome, and its annotation goes. The operation is made first, so that a crash in between loses no request.
 * @returns true when something was taken in: the watch will show it
 */
export async function takeRequests(context: ClusterContext, operations: readonly ListedOperation[]): Promise<boolean> {
  const { cluster, object, tools } = context;
  const { requests, refused } = readRequests(cluster.metadata.annotations);
  if (requests.length === 0 && refused.length === 0) return false;
  for (const { message } of refused)
    tools.events.record(object, { type: 'Warning', reason: 'RequestRefused', message });
  for (const request of requests) await ask(context, request, operations);
  const prefix = 'metadata.annotations.';
  await takeAway(context, [...requests.map(it => it.annotation), ...refused.map(it => it.field.slice(prefix.length))]);
  return true;
}

/**
 * Takes in the annotation `cancelled`: it becomes the word of the operation that is going on, then goes. Left there it
 * would cancel whatever the cluster needs later, too.
 * @param operation the one that is meant: that which runs, or waits for a person
 * @returns true when something was taken in: the watch will show it
 */
export async function takeCancel(context: ClusterContext, operation: ListedOperation | undefined): Promise<boolean> {
  const { cluster, object, tools } = context;
  if (!isCancelRequested(cluster.metadata.annotations)) return false;
  if (operation && operation.type !== 'delete') {
    await tools.client.patchMerge(MPD_OPERATIONS, operation.object.metadata, { spec: { cancelled: true } });
  } else {
    const message = operation ? 'a deletion cannot be cancelled' : 'there is no operation to cancel';
    tools.events.record(object, { type: 'Warning', reason: 'RequestRefused', message });
  }
  await takeAway(context, [OPERATION_ANNOTATION.cancelled]);
  return true;
}

/** Only over what was looked at: a request of the same name that came meanwhile is another one. */
async function takeAway({ object, tools }: ClusterContext, names: readonly string[]): Promise<void> {
  const annotations = Object.fromEntries(names.map(name => [name, null]));
  const { resourceVersion } = object.metadata;
  await tools.client.patchMerge(MPD_CLUSTERS, object.metadata, { metadata: { annotations } }, { resourceVersion });
}

/** The same request while one like it is not finished is that one, asked again. */
async function ask(
  { cluster, tools }: ClusterContext,
  { operation }: AnnotationRequest,
  operations: readonly ListedOperation[],
): Promise<void> {
  const hash = createHash('sha256').update(JSON.stringify(operation)).digest('hex').slice(0, 8);
  const name = nextName(`${cluster.metadata.name}-${operation.type.toLowerCase()}-${hash}-`, operations);
  try {
    const asked = newOperation(cluster, name, { ...operation, requestedBy: 'annotation' });
    await tools.client.create(MPD_OPERATIONS, asked);
    tools.log.info('took in a request', { operation: asked.metadata.name, type: operation.type });
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
  }
}

/** Counted on from the newest one: of old ones the history keeps no count. */
function nextName(base: string, operations: readonly ListedOperation[]): string {
  const numbered = operations.map(it => ({
    it,
    number: it.name.startsWith(base) ? Number(it.name.slice(base.length)) : -1,
  }));
  const last = numbered.filter(({ number }) => number >= 0).sort((a, b) => b.number - a.number)[0];
  const number = last ? last.number + (isFinished(last.it) ? 1 : 0) : 0;
  return `${base}${number}`;
}
