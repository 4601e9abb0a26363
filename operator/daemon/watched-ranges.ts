import type { PortRange } from '../model/ports.ts';
import { parseRanges, PORTS_MAP } from '../settings/network.ts';
import type { SettingsMap, SettingsProblem } from '../settings/types.ts';
import { MapReader } from '../settings/values.ts';

/** By annotation of `polardb4mpd-controller`. */
export type RangesByKey = Readonly<Record<string, readonly PortRange[]>>;

/**
 * Each annotation of the map is a range in the original, whatever its key. Here one is wrong only when its key says that
 * it is a range: other tools annotate too. A map that is gone changes nothing: without ranges all ports would look free.
 */
export function readRanges(
  map: SettingsMap | undefined,
  problems: SettingsProblem[],
  last: RangesByKey | undefined,
): RangesByKey | undefined {
  if (!map) return last;
  const texts = map.metadata?.annotations ?? {};
  const reader = new MapReader({ metadata: map.metadata, data: texts }, PORTS_MAP, problems);
  const read = (key: string): readonly PortRange[] => {
    if (key.includes('port.range')) return reader.read(key, parseRanges, { absent: [], last: last?.[key] ?? [] });
    return new MapReader({ data: texts }, PORTS_MAP, []).read(key, parseRanges, { absent: [], last: [] });
  };
  return Object.fromEntries(Object.keys(texts).map(key => [key, read(key)]));
}

/** Overlapping and adjoining ranges as one. */
export function joined(ranges: readonly PortRange[]): PortRange[] {
  const result: PortRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = result.at(-1);
    if (before && range.first <= before.last + 1) before.last = Math.max(before.last, range.last);
    else result.push({ ...range });
  }
  return result;
}
