/** Units of engine parameters, as PostgreSQL defines them (guc.c): multiples of 1024, letter case matters. */
const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  '8kB': 8192,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};
const MILLISECONDS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * A parameter value in its base unit: `64MB` with base `kB` is 65536. A plain number is in the base unit already.
 * @returns undefined when the text is no number, or its unit does not go with the base unit
 */
export function toBaseUnit(text: string, baseUnit: string | undefined): number | undefined {
  const match = /^(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([A-Za-z]+)?$/.exec(text.trim());
  if (!match) return undefined;
  const number = Number(match[1]);
  const unit = match[2];
  if (unit === undefined) return number;
  if (baseUnit === undefined) return undefined;
  const family = [BYTES, MILLISECONDS].find(units => units[baseUnit] !== undefined);
  const factor = family?.[unit];
  return factor === undefined ? undefined : (number * factor) / family![baseUnit]!;
}

/** An amount of memory in MiB, or undefined when the text is none. */
export function toMebibytes(text: string, baseUnit: string | undefined): number | undefined {
  const scale = baseUnit === undefined ? undefined : BYTES[baseUnit];
  const amount = toBaseUnit(text, baseUnit);
  return scale === undefined || amount === undefined ? undefined : (amount * scale) / BYTES.MB!;
}
