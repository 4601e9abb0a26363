import { QUANTITY_FACTOR } from '../operator/model/quantity.ts';

/**
 * Value of a Kubernetes quantity in its base unit (bytes, cores), exact to 15 digits.
 * @throws Error naming the text when it is no quantity or negative
 */
export function quantityValue(quantity: string | number): number {
  const match = /^(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]))?$/.exec(String(quantity));
  if (!match) throw new Error(`"${quantity}" is not a quantity such as 500m or 2Gi`);
  return Number(`${match[1] ?? ''}${match[2] ?? ''}`) * QUANTITY_FACTOR[match[3] ?? '']!;
}
