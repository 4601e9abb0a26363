import type { InstanceStatus, MPDCluster } from '../../crds/mpdcluster.ts';
import type { OperationType } from '../../crds/mpdoperation.ts';
import { isReason } from '../kube/errors.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/types.ts';
import { API_GROUP, API_VERSION } from '../model/names.ts';
import { clusterLabels } from '../model/labels.ts';
import { queueOf, toPrune, type QueuedOperation } from '../workflow/operations.ts';
import { isFinished } from '../workflow/record.ts';
import { recordOf } from '../workflow/operation-journal.ts';
import { MPD_OPERATIONS, type RawOperation } from '../kinds/mpd.ts';
import { ownerReference } from '../kinds/child.ts';

/** An operation with what the queue looks at. */
export interface ListedOperation extends QueuedOperation {
  type: OperationType;
  object: RawOperation;
}

export function listOperations(objects: readonly RawOperation[]): ListedOperation[] {
  return objects.map(object => {
    const { phase, finishedAt } = recordOf(object);
    const { name, creationTimestamp: createdAt = '' } = object.metadata;
    return { name, createdAt, phase, finishedAt, type: object.spec.type, object };
  });
}

/** What a former cluster of the same name leaves to garbage collection is asked of nobody any more. */
export const isOfFormer = ({ metadata }: KubeObject, { metadata: { uid } }: Pick<MPDCluster, 'metadata'>): boolean =>
  metadata.ownerReferences?.some(owner => owner.kind === 'MPDCluster' && owner.uid !== uid) ?? false;

/**
 * Operations that people made by hand go with their cluster, too: one that stayed would be carried out on the next cluster
 * of that name.
 */
export async function ownOperations(
  client: KubeClient,
  cluster: MPDCluster,
  operations: readonly ListedOperation[],
): Promise<void> {
  const metadata = {
    labels: clusterLabels(cluster.metadata.name),
    ownerReferences: [ownerReference(cluster.metadata)],
  };
  for (const { object } of operations) {
    if (object.metadata.ownerReferences?.length) continue;
    await client.patchMerge(MPD_OPERATIONS, object.metadata, { metadata });
  }
}

/** Which operation the state of the cluster calls for, if it is not there already. */
export function neededOperation(
  cluster: MPDCluster,
  operations: readonly ListedOperation[],
): OperationType | undefined {
  const { metadata, status, spec } = cluster;
  if (metadata.deletionTimestamp) return 'delete';
  const has = (type: OperationType, phase: string): boolean =>
    operations.some(operation => operation.type === type && operation.phase === phase);
  if (isNew(cluster) && !has('create', 'Succeeded')) return 'create';
  if (spec.stopped) return status.clusterStatus === 'Stopped' ? undefined : 'stop';
  if (status.clusterStatus === 'Stopped') return 'start';
  const instances = Object.values(status.dbInstanceStatus ?? {}).filter(isEligible).length;
  return 1 + spec.followerNum > instances ? 'addRo' : undefined;
}

/** Counts among the RW and its read-only instances, whichever of them it is at this moment. */
export const isEligible = ({ insType }: InstanceStatus): boolean => insType === 'rw' || insType === 'ro';

/** Nothing was made of it yet, and nothing is to run. */
export const isUnborn = ({ metadata, spec, status }: MPDCluster): boolean =>
  spec.stopped && status.logicId === undefined && metadata.deletionTimestamp === undefined;

/** Not created to the end yet; also when its creation was interrupted. */
function isNew({ status }: MPDCluster): boolean {
  const word = status.clusterStatus ?? '';
  const isInstalled = Object.values(status.dbInstanceStatus ?? {}).some(it => it.installed);
  return ['', 'Init', 'Creating'].includes(word) || (word === 'Interrupt' && !isInstalled);
}

/**
 * One name for one need, so that a second look, or a second operator, cannot ask twice: create and delete happen once in
 * the life of a cluster, the others once for each edit of its spec.
 */
export function operationName({ metadata }: MPDCluster, type: OperationType): string {
  const once = type === 'create' || type === 'delete';
  const when = once ? metadata.uid.slice(0, 8) : `g${metadata.generation}`;
  return `${metadata.name}-${type.toLowerCase()}-${when}`;
}

/** Builder of an operation on this cluster. */
export function newOperation(
  { metadata }: MPDCluster,
  name: string,
  spec: Omit<RawOperation['spec'], 'target'>,
): RawOperation {
  return {
    apiVersion: `${API_GROUP}/${API_VERSION}`,
    kind: 'MPDOperation',
    metadata: {
      name,
      namespace: metadata.namespace,
      labels: clusterLabels(metadata.name),
      ownerReferences: [ownerReference(metadata)],
    },
    spec: { target: { kind: 'MPDCluster', name: metadata.name }, ...spec },
  };
}

/** Makes the operation object. One of that name that is there already is the same request. */
export async function requestOperation(client: KubeClient, cluster: MPDCluster, type: OperationType): Promise<void> {
  const operation = newOperation(cluster, operationName(cluster, type), { type, requestedBy: 'spec' });
  try {
    await client.create(MPD_OPERATIONS, operation);
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
  }
}

/** Carried out by the cluster manager, which works with the operator away: to us they are only something to wait for. */
const OF_CLUSTER_MANAGER: readonly OperationType[] = ['switchRw', 'forceFailover'];

export const isOfClusterManager = ({ type }: ListedOperation): boolean => OF_CLUSTER_MANAGER.includes(type);

/**
 * The operation to go on with. Deletion waits for nobody: what it interrupts is gone with the cluster. A deletion that is
 * itself interrupted waits for a person.
 */
export function currentOperation(
  cluster: MPDCluster,
  operations: readonly ListedOperation[],
): ListedOperation | undefined {
  if (!cluster.metadata.deletionTimestamp) return queueOf(operations).run;
  const name = operationName(cluster, 'delete');
  return operations.find(it => it.name === name && it.phase !== 'Interrupted' && !isGivenUp(it));
}

/** Has ended, and not as it was meant to. */
export const isGivenUp = (operation: ListedOperation): boolean =>
  isFinished(operation) && operation.phase !== 'Succeeded';

/** Spec asks for the opposite by now: what the operation waits for will never come. */
export const isRevoked = ({ spec }: Pick<MPDCluster, 'spec'>, type: OperationType): boolean =>
  type === 'stop' ? !spec.stopped : (type === 'start' || type === 'addRo') && spec.stopped;

/** The operation that waits for a person's word; of a cluster that is being deleted only its deletion. */
export function interruptedOperation(
  { metadata }: MPDCluster,
  operations: readonly ListedOperation[],
): ListedOperation | undefined {
  const isOver = (type: OperationType): boolean => metadata.deletionTimestamp !== undefined && type !== 'delete';
  return operations.find(({ type, phase }) => phase === 'Interrupted' && !isOver(type));
}

/** Keeps the newest finished operations for the history. */
export async function pruneOperations(client: KubeClient, operations: readonly ListedOperation[]): Promise<void> {
  for (const operation of toPrune(operations)) await removeOperation(client, operation);
}

export async function removeOperation(client: KubeClient, { object }: ListedOperation): Promise<void> {
  const { name, namespace, uid } = object.metadata;
  await client.delete(MPD_OPERATIONS, { name, namespace }, { uid });
}
