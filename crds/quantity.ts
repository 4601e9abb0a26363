const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * Value of a Kubernetes quantity in its base unit (bytes, cores), exact to 15 digits.
 * @throws Error naming the text when it is no quantity or negative
 */
export function quantityValue(quantity: string | number): number {
  const match = /^(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]))?$/.exec(String(quantity));
  if (!match) throw new Error(`"${quantity}" is not a quantity such as 500m or 2Gi`);
  return Number(`${match[1] ?? ''}${match[2] ?? ''}`) * FACTORS[match[3] ?? '']!;
}
