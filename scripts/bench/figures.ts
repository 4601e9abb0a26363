/** One thing that was measured, several times. */
export interface Figure {
  name: string;
  unit: string;
  values: readonly number[];
  /** What is promised: at most this, by its median. */
  atMost?: number;
  /** What is promised of the largest value. */
  worstAtMost?: number;
  /** `count`: the same on every machine, so a miss is a failure. `time`: told only, a busy machine blurs it. */
  kind: 'count' | 'time';
  /** What it is made of, or how it was taken. */
  note?: string;
}

export interface Summary {
  min: number;
  median: number;
  max: number;
}

/** @throws Error without values */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) throw new Error('nothing was measured');
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle - 1)]! + sorted[Math.floor(middle)]!) / 2;
  return { min, median, max };
}

export function isMissed({ values, atMost = Infinity, worstAtMost = Infinity }: Figure): boolean {
  const { median, max } = summarize(values);
  return median > atMost || max > worstAtMost;
}

/** Whether a figure that no busy machine can blur is not as promised. */
export const hasFailed = (figure: Figure): boolean => figure.kind === 'count' && isMissed(figure);

/** Figures as lines of equal columns. */
export function renderFigures(figures: readonly Figure[]): string {
  const rows = figures.map(figure => {
    const { min, median, max } = summarize(figure.values);
    return [
      figure.name,
      figure.unit,
      ...[min, median, max].map(short),
      String(figure.values.length),
      promise(figure),
      figure.note ?? '',
    ];
  });
  const all = [['what', 'unit', 'min', 'median', 'max', 'runs', 'promised', ''], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map(row => row[column]!.length)));
  return all
    .map(
      row =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function promise(figure: Figure): string {
  const { atMost, worstAtMost } = figure;
  const bounds = [
    ...(atMost === undefined ? [] : [`<= ${atMost}`]),
    ...(worstAtMost === undefined ? [] : [`worst <= ${worstAtMost}`]),
  ];
  return [bounds.join(', '), ...(isMissed(figure) ? ['MISSED'] : [])].join(' ');
}

const short = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1));
