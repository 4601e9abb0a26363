import type { KubeClient } from './client.ts';
import { isReason } from './errors.ts';
import type { ResourceType } from './resources.ts';
import type { KubeObject } from './types.ts';

type Patcher = Pick<KubeClient, 'patchMerge'>;

export function hasFinalizer(object: KubeObject, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) ?? false;
}

/**
 * Adds a finalizer, over exactly the version given, so that nobody else's is lost. No call when it is there already, or
 * when the object is being deleted (the server would refuse it).
 * @throws KubeError `Conflict` when the object has changed: look again
 */
export async function addFinalizer<T extends KubeObject>(
  client: Patcher,
  type: ResourceType<T>,
  object: T,
  finalizer: string,
): Promise<T> {
  if (hasFinalizer(object, finalizer) || object.metadata.deletionTimestamp) return object;
  return write(client, type, object, [...(object.metadata.finalizers ?? []), finalizer]);
}

/**
 * Removes a finalizer, over exactly the version given. No call when it is not there; undefined when the object is gone.
 * @throws KubeError `Conflict` when the object has changed: look again
 */
export async function removeFinalizer<T extends KubeObject>(
  client: Patcher,
  type: ResourceType<T>,
  object: T,
  finalizer: string,
): Promise<T | undefined> {
  if (!hasFinalizer(object, finalizer)) return object;
  const rest = (object.metadata.finalizers ?? []).filter(other => other !== finalizer);
  try {
    return await write(client, type, object, rest);
  } catch (error) {
    if (isReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

function write<T extends KubeObject>(
  client: Patcher,
  type: ResourceType<T>,
  object: T,
  finalizers: string[],
): Promise<T> {
  const { resourceVersion } = object.metadata;
  return client.patchMerge(type, object.metadata, { metadata: { finalizers } }, { resourceVersion });
}
