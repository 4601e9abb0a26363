import { parse as parseYaml } from 'yaml';
import type { ResourcePair, SettingsMap, SettingsProblem, SideContainer, SystemResources } from './types.ts';
import { BadValue, MapReader, parseBool, parseQuantity } from './values.ts';

export const SYSTEM_RESOURCES_MAP = 'instance-system-resources';

const CONTAINERS: readonly SideContainer[] = ['manager', 'pfsdTool', 'pfsd'];
type Half = Pick<SystemResources, 'single' | 'readWriteMany'>;
const NOTHING: Half = { single: {}, readWriteMany: {} };

/**
 * Reads `instance-system-resources`: `enableResourceShare` selects the YAML under `shared` or under `normal`.
 * Only the selected half is checked, since the other is not in force.
 */
export function readSystemResources(
  map: SettingsMap | undefined,
  problems: SettingsProblem[],
  last: SystemResources = { shared: true, ...NOTHING },
): SystemResources {
  const reader = new MapReader(map, SYSTEM_RESOURCES_MAP, problems);
  const shared = reader.read('enableResourceShare', parseBool, { absent: true, last: last.shared });
  const half = reader.read(shared ? 'shared' : 'normal', parseHalf, { absent: NOTHING, last });
  return { shared, single: half.single, readWriteMany: half.readWriteMany };
}

function parseHalf(text: string): Half {
  const tree = asObject(parseYamlText(text), 'the value');
  return {
    single: parseContainers(tree.single, 'single'),
    readWriteMany: parseContainers(tree.readWriteMany, 'readWriteMany'),
  };
}

/** YAML as a value; a mistake in it is a bad value. */
export function parseYamlText(text: string): unknown {
  try {
    // Its warnings would go to standard error, beside the log.
    return parseYaml(text, { logLevel: 'error' }) as unknown;
  } catch (error) {
    throw new BadValue(`is not YAML: ${(error as Error).message.split('\n')[0] ?? ''}`, 'correct the YAML');
  }
}

function asObject(value: unknown, where: string): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new BadValue(`${where} is not a mapping`, 'write "key: value" lines');
}

function parseContainers(value: unknown, where: string): Half['single'] {
  const tree = asObject(value, where);
  const pairs = CONTAINERS.filter(name => tree[name] !== undefined).map(
    name => [name, parsePair(tree[name], `${where}.${name}`)] as const,
  );
  return Object.fromEntries(pairs);
}

function parsePair(value: unknown, where: string): ResourcePair {
  const tree = asObject(value, where);
  return {
    limits: parseAmounts(tree.limits, `${where}.limits`),
    requests: parseAmounts(tree.requests, `${where}.requests`),
  };
}

function parseAmounts(value: unknown, where: string): ResourcePair['limits'] {
  const tree = asObject(value, where);
  return Object.fromEntries(
    (['cpu', 'memory'] as const).flatMap(key => {
      const amount = tree[key];
      if (amount === undefined) return [];
      if (typeof amount !== 'string' && typeof amount !== 'number') {
        throw new BadValue(`${where}.${key} is not a quantity`, 'write a Kubernetes quantity such as 500m or 1Gi');
      }
      return [[key, parseQuantity(String(amount))]];
    }),
  );
}
