import { isDeepStrictEqual } from 'node:util';

export interface Condition {
  type: string;
  /** Unknown counts as not met. */
  status: 'True' | 'False' | 'Unknown';
  /** One CamelCase word of a documented set, for programs. */
  reason: string;
  /** For people. */
  message: string;
  /** RFC 3339, whole seconds: when `status` changed last, not when the condition was written. */
  lastTransitionTime: string;
  /** `metadata.generation` that this was said of. */
  observedGeneration?: number;
}

export type ConditionUpdate = Omit<Condition, 'lastTransitionTime'>;

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find(condition => condition.type === type);
}

/** Is it there and True? */
export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * The list with these conditions set, others kept, in stable order. The time moves only with the status. Gives back
 * the very same list when it says all that already, so that a writer can tell by identity.
 */
export function setConditions(
  current: readonly Condition[] | undefined,
  updates: readonly ConditionUpdate[],
  now: Date,
): readonly Condition[] {
  const result = [...(current ?? [])];
  for (const update of updates) {
    const at = result.findIndex(condition => condition.type === update.type);
    if (at < 0) result.push(nextCondition(undefined, update, now));
    else result[at] = nextCondition(result[at], update, now);
  }
  return current && isDeepStrictEqual(current, result) ? current : result;
}

/** `before` itself if it says the same. */
function nextCondition(before: Condition | undefined, update: ConditionUpdate, now: Date): Condition {
  if (before?.status !== update.status) {
    return { ...update, lastTransitionTime: `${now.toISOString().slice(0, 19)}Z` };
  }
  const next = { ...update, lastTransitionTime: before.lastTransitionTime };
  return isDeepStrictEqual(plain(before), plain(next)) ? before : next;
}

/** Without fields that are there and undefined: in JSON they are not. */
function plain(condition: Condition): unknown {
  return Object.fromEntries(Object.entries(condition).filter(([, value]) => value !== undefined));
}
