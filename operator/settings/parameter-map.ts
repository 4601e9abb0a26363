import type { SettingsProblem } from './types.ts';

/** One entry of `<c>-user-params` or `<c>-running-params` (the original's form). */
export interface ParameterEntry {
  name: string;
  value: string;
  /** RFC 3339, UTC. */
  updateTime?: string;
  /** A value that waits for a restart. */
  inoperativeValue?: string;
}

/**
 * Entries of a parameter ConfigMap. The original writes JSON {name, value, updateTime, inoperative_value}; plain text is
 * taken as the value, since people write that.
 */
export function readParameterMap(
  map: string,
  data: Readonly<Record<string, string>> | undefined,
): { entries: ParameterEntry[]; problems: SettingsProblem[] } {
  const entries: ParameterEntry[] = [];
  const problems: SettingsProblem[] = [];
  for (const [name, text] of Object.entries(data ?? {})) {
    const entry = readEntry(name, text);
    if (entry) entries.push(entry);
    else problems.push({ map, key: name, message: 'has no value', remedy: 'write {"name": ..., "value": ...}' });
  }
  return { entries, problems };
}

function readEntry(name: string, text: string): ParameterEntry | undefined {
  if (!text.trimStart().startsWith('{')) return { name, value: text };
  const tree = parseObject(text);
  const string = (key: string) => (typeof tree?.[key] === 'string' ? tree[key] : undefined);
  const value = typeof tree?.value === 'number' ? String(tree.value) : string('value');
  if (value === undefined) return undefined;
  return { name, value, updateTime: string('updateTime'), inoperativeValue: string('inoperative_value') };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Data of a parameter ConfigMap, keys in order, so that equal entries give equal objects. */
export function writeParameterMap(entries: readonly ParameterEntry[]): Record<string, string> {
  const inOrder = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return Object.fromEntries(
    inOrder.map(({ name, value, updateTime = '', inoperativeValue = '' }) => [
      name,
      JSON.stringify({ name, value, updateTime, inoperative_value: inoperativeValue }),
    ]),
  );
}
