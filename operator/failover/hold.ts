import { API_GROUP } from '../model/names.ts';

/**
 * Automatic failover held off for a while ("disable HA" of the original): an annotation of the cluster, so that everybody
 * sees it, that outlives every process, and that ends by itself. The rules of safety stay on.
 */
export const HOLD_ANNOTATION = `${API_GROUP}/ha-hold`;

/** Longest hold, s: a hold that is forgotten must not cost a night. */
export const MAX_HOLD_SECONDS = 24 * 3600;

export interface Hold {
  until: Date;
  by: string;
}

/** Value of the annotation: `<RFC 3339> <who>`. */
export const formatHold = ({ until, by }: Hold): string => `${until.toISOString()} ${by}`;

/** The hold that is in force at `now`; a value that cannot be read holds nothing. */
export function activeHold(annotations: Readonly<Record<string, string>> | undefined, now: Date): Hold | undefined {
  const [, time = '', by = ''] = /^(\S+)\s+(\S.*)$/.exec(annotations?.[HOLD_ANNOTATION]?.trim() ?? '') ?? [];
  const until = new Date(time);
  const latest = now.getTime() + MAX_HOLD_SECONDS * 1000;
  return until > now && until.getTime() <= latest ? { until, by } : undefined;
}

/** How long automatic moves are still held off, ms: nothing else tells that a hold has ended. Infinity without a hold. */
export function holdLastsMs(annotations: Readonly<Record<string, string>> | undefined, now: Date): number {
  const hold = activeHold(annotations, now);
  return hold ? hold.until.getTime() - now.getTime() : Infinity;
}
