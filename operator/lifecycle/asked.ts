import type { OperationType } from '../../crds/mpdoperation.ts';
import type { RawOperation } from '../kinds/mpd.ts';
import { isNamespaceEnding } from '../kube/errors.ts';
import type { ClusterContext } from './context.ts';
import {
  currentOperation,
  interruptedOperation,
  isGivenUp,
  isOfFormer,
  listOperations,
  neededOperation,
  operationName,
  ownOperations,
  removeOperation,
  requestOperation,
  type ListedOperation,
} from './operations.ts';
import { takeCancel, takeRequests } from './requests.ts';

/** What is asked of a cluster: by its spec, and by people. */
export interface Asked {
  operations: readonly ListedOperation[];
  /** What the state of the cluster calls for. */
  needed?: OperationType;
  /** The operation that was made for it. */
  made?: ListedOperation;
  /** The one to go on with. */
  current?: ListedOperation;
  /** The one that waits for a person. */
  interrupted?: ListedOperation;
}

/** @param seen as the watch shows them; those of a former cluster of the same name are not looked at */
export async function gatherAsked({ cluster, tools }: ClusterContext, seen: readonly RawOperation[]): Promise<Asked> {
  const operations = listOperations(seen.filter(it => !isOfFormer(it, cluster)));
  await ownOperations(tools.client, cluster, operations);
  const needed = neededOperation(cluster, operations);
  return {
    operations,
    needed,
    made: needed && operations.find(it => it.name === operationName(cluster, needed)),
    current: currentOperation(cluster, operations),
    interrupted: interruptedOperation(cluster, operations),
  };
}

/** Makes the operation that is needed unless it is there. False where nothing can be made any more. */
export async function makeNeeded({ cluster, tools }: ClusterContext, { needed, made }: Asked): Promise<boolean> {
  if (!needed) return true;
  if (made) {
    // A deletion that was given up would be waited for without end; it is made anew.
    if (needed === 'delete' && isGivenUp(made)) await removeOperation(tools.client, made);
    return true;
  }
  try {
    await requestOperation(tools.client, cluster, needed);
    return true;
  } catch (error) {
    if (needed === 'delete' && isNamespaceEnding(error)) return false;
    throw error;
  }
}

/**
 * Takes in what people say by annotation. Requests wait for what the cluster needs first, unless that was given up.
 * @returns true when something was taken in: the watch will show it
 */
export async function takeWords(context: ClusterContext, asked: Asked): Promise<boolean> {
  const { needed, made, operations } = asked;
  if (await takeCancel(context, asked.current ?? asked.interrupted)) return true;
  const isFree = !needed || (made !== undefined && isGivenUp(made));
  return isFree && takeRequests(context, operations);
}
