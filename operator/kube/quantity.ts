import { QUANTITY_FACTOR } from '../model/quantity.ts';

/**
 * The number of a Kubernetes quantity (`1500m`, `2Gi`, `1e3`, `0.5`), or undefined for anything else. Exact to double
 * precision, which tells apart whatever a person writes.
 */
export function parseQuantity(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?$/.exec(value);
  if (!match) return undefined;
  const number = Number(match[1]);
  return match[2] === undefined ? number * QUANTITY_FACTOR[match[3] ?? '']! : number * 10 ** Number(match[2]);
}

/** The same amount, however written: `1000m` and `1`, `1024Mi` and `1Gi`. */
export function isSameQuantity(a: unknown, b: unknown): boolean {
  const [left, right] = [parseQuantity(a), parseQuantity(b)];
  if (left === undefined || right === undefined) return false;
  return Math.abs(left - right) <= 1e-9 * Math.max(Math.abs(left), Math.abs(right));
}
