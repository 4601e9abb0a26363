import { createHash } from 'node:crypto';
import type { KubeClient } from './client.ts';
import type { ResourceType } from './resources.ts';
import { firstDifference } from './subset.ts';
import type { KubeObject } from './types.ts';

/** Short hash of the configuration last applied: shows that a field we once set is to go. */
export const APPLIED_ANNOTATION = 'mpd.polardb.aliyun.com/applied';

export interface ApplyRequest<T extends KubeObject> {
  type: ResourceType<T>;
  desired: T;
  /** The object as a cache shows it; undefined if there is none. */
  current: T | undefined;
}

export interface Applied<T extends KubeObject> {
  /** As it is now. */
  object: T;
  /** Why it was written; undefined when nothing was to be done and no call was made. */
  reason: string | undefined;
}

/**
 * Brings an object into its desired state by server-side apply, and makes no call when it is there already. Repairs
 * drift of our fields, removes fields that we set formerly, leaves those of others alone.
 */
export async function applyIfChanged<T extends KubeObject>(
  client: Pick<KubeClient, 'apply'>,
  { type, desired, current }: ApplyRequest<T>,
): Promise<Applied<T>> {
  const wanted = withHash(withPlainSecret(desired));
  const reason = reasonToApply(wanted, current);
  if (reason === undefined && current) return { object: current, reason };
  return { object: await client.apply(type, wanted), reason };
}

/** Why an object with its hash must be written; undefined if it is as it should be. */
function reasonToApply(wanted: KubeObject, current: KubeObject | undefined): string | undefined {
  if (!current) return 'absent';
  if (current.metadata.annotations?.[APPLIED_ANNOTATION] !== wanted.metadata.annotations?.[APPLIED_ANNOTATION]) {
    return 'changed';
  }
  const drift = firstDifference(withoutVersion(wanted), current);
  return drift === undefined ? undefined : `drift of ${drift}`;
}

/** The server turns stringData into data, so only data can be compared. */
function withPlainSecret<T extends KubeObject>(desired: T): T {
  const { stringData, data } = desired as { stringData?: Record<string, string>; data?: Record<string, string> };
  if (!stringData) return desired;
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')] as const);
  return { ...desired, stringData: undefined, data: { ...data, ...Object.fromEntries(encoded) } };
}

/** A version is a condition of one write, not a part of what is wanted. */
function withoutVersion(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: undefined } };
}

function withHash<T extends KubeObject>(desired: T): T {
  const text = JSON.stringify(sorted(withoutVersion(desired)));
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const annotations = { ...desired.metadata.annotations, [APPLIED_ANNOTATION]: hash };
  return { ...desired, metadata: { ...desired.metadata, annotations } };
}

/** The same content gives the same text, in whatever order a builder set the fields. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Record<string, unknown>).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]));
}
