import { isDeepStrictEqual } from 'node:util';
import type { KubeClient } from './client.ts';
import type { ResourceType } from './resources.ts';
import type { Change } from './store.ts';
import type { KubeObject } from './types.ts';

type WithStatus = KubeObject & { status?: unknown };

/**
 * Writes the fields of `desired` that differ from the object's status; a field desired as undefined or null is removed,
 * a field not named is left alone. No call when nothing differs. Over exactly the version given, since a list such as
 * `conditions` is replaced as a whole.
 * @throws KubeError `Conflict` when the object has changed: look again
 */
export async function patchStatusIfChanged<T extends WithStatus>(
  client: Pick<KubeClient, 'patchStatus'>,
  type: ResourceType<T>,
  object: T,
  desired: object,
): Promise<T> {
  const patch = mergeDifference(object.status ?? {}, desired);
  if (patch === undefined) return object;
  const { resourceVersion } = object.metadata;
  return client.patchStatus(type, object.metadata, patch, { resourceVersion });
}

/** Did somebody tell of the object, and ask nothing of it? */
export function isStatusOnly({ type, object, previous }: Change<KubeObject>): boolean {
  // Kinds without a generation have no status: any change of theirs asks for something.
  if (type !== 'MODIFIED' || !previous || object.metadata.generation === undefined) return false;
  return isDeepStrictEqual(asked(object.metadata), asked(previous.metadata));
}

/** What does not count up with each write of status. */
const asked = (metadata: KubeObject['metadata']): object => {
  return { ...metadata, resourceVersion: undefined, managedFields: undefined };
};

/** The JSON merge patch that brings what `desired` names into `current`; undefined when it is so already. */
export function mergeDifference(current: object, desired: object): object | undefined {
  const now = new Map<string, unknown>(Object.entries(current));
  const patch: [string, unknown][] = [];
  for (const [key, wanted] of Object.entries(desired) as [string, unknown][]) {
    const is = now.get(key);
    const change = valueDifference(is, wanted);
    if (change !== undefined) patch.push([key, change]);
  }
  return patch.length === 0 ? undefined : Object.fromEntries(patch);
}

/** What to write for one field; null removes; undefined: nothing to do. */
function valueDifference(is: unknown, wanted: unknown): unknown {
  if (wanted === undefined || wanted === null) return is === undefined ? undefined : null;
  if (isRecord(is) && isRecord(wanted)) return mergeDifference(is, wanted);
  return isDeepStrictEqual(is, asJson(wanted)) ? undefined : wanted;
}

/** As it would come back from the server: without undefined fields. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
