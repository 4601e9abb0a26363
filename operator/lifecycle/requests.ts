import { createHash } from 'node:crypto';
import { readRequests, type AnnotationRequest } from '../../crds/annotations.ts';
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
  const taken = [...requests.map(it => it.annotation), ...refused.map(it => it.field.slice(prefix.length))];
  const annotations = Object.fromEntries(taken.map(name => [name, null]));
  const { resourceVersion } = object.metadata;
  await tools.client.patchMerge(MPD_CLUSTERS, object.metadata, { metadata: { annotations } }, { resourceVersion });
  return true;
}

/** The same request while one like it is not finished is that one, asked again. */
async function ask(
  { cluster, tools }: ClusterContext,
  { operation }: AnnotationRequest,
  operations: readonly ListedOperation[],
): Promise<void> {
  const hash = createHash('sha256').update(JSON.stringify(operation)).digest('hex').slice(0, 8);
  const base = `${cluster.metadata.name}-${operation.type.toLowerCase()}-${hash}`;
  const before = operations.filter(it => it.name.startsWith(base) && isFinished(it)).length;
  try {
    const asked = newOperation(cluster, `${base}-${before}`, { ...operation, requestedBy: 'annotation' });
    await tools.client.create(MPD_OPERATIONS, asked);
    tools.log.info('took in a request', { operation: asked.metadata.name, type: operation.type });
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
  }
}
