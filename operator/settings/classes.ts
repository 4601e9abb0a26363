import { UserError } from '../model/errors.ts';
import type { InstanceClass, SettingsMap, SettingsProblem, SiteSettings } from './types.ts';
import { BadValue, MapReader, parseBool, parseCount, parseMebibytes, parseMillis, unquote } from './values.ts';
import { refusedBy15 } from './refused.ts';

export const CLASS_CONFIG_TYPE = 'instance_level';
const RESOURCE = 'instance_level_resource';
const PARAMETERS = 'instance_level_config';
const DISPLAY_NAME = 'polarbox.class.name';

type Classes = SiteSettings['classes'];

/**
 * Reads the instance classes. A class with a bad number stays as a whole what it was (half of a change would be a size
 * that nobody asked for); one that never was good is left out.
 */
export function readClasses(
  maps: readonly SettingsMap[],
  problems: SettingsProblem[],
  last: Classes = new Map(),
): Classes {
  const parameters = byClass(maps, PARAMETERS, problems);
  const classes = new Map<string, InstanceClass>();
  for (const [name, map] of byClass(maps, RESOURCE, problems)) {
    const reader = new MapReader(map, name, problems);
    const found = readSize(reader, name, map) ?? last.get(name);
    if (found) classes.set(name, { ...found, parameters: readParameters(name, parameters.get(name), problems) });
  }
  return classes;
}

/** One map per class and type, first by name when there are two (the original refused to go on). */
function byClass(maps: readonly SettingsMap[], type: string, problems: SettingsProblem[]): Map<string, SettingsMap> {
  const found = new Map<string, SettingsMap>();
  for (const map of maps) {
    const labels = map.metadata?.labels ?? {};
    const name = labels.classKey;
    if (labels.configtype !== CLASS_CONFIG_TYPE || labels.leveltype !== type || !name) continue;
    const first = found.get(name);
    if (!first) found.set(name, map);
    else {
      new MapReader(map, '', problems).problem(
        'metadata.labels.classKey',
        `class ${name} is already described by ${first.metadata?.name ?? ''}`,
        'delete one of the two maps',
      );
    }
  }
  return found;
}

type Size = Omit<InstanceClass, 'parameters'>;

function readSize(reader: MapReader, name: string, map: SettingsMap): Size | undefined {
  const bad = Symbol('bad');
  const number = (key: string, parse: (text: string) => number) =>
    reader.read<number | symbol | undefined>(key, parse, { absent: undefined, last: bad });
  const values = {
    cpu: number('cpu_cores', parseMillis),
    cpuRequest: number('cpu_cores_request', parseMillis),
    memory: number('mem_limit', parseMebibytes),
    memoryRequest: number('mem_request', parseMebibytes),
    hugepages: number('hugepage_limit', parseMebibytes),
    minMi: number('storage', parseCount),
    maxMi: number('max_storage', parseCount),
  };
  const hugePages = reader.read<boolean | symbol>('hugepages', parseBool, { absent: true, last: bad });
  const containers = reader.read<Size['containers'] | symbol>('class_specified', parseContainers, {
    absent: {},
    last: bad,
  });
  if ([...Object.values(values), hugePages, containers].includes(bad)) return undefined;
  const displayName = map.metadata?.annotations?.[DISPLAY_NAME] ?? name;
  return reader.attempt('cpu_cores', () => ({
    name,
    displayName,
    ...sizes(values as Numbers, hugePages as boolean),
    containers: containers as Size['containers'],
  }));
}

type Numbers = Partial<
  Record<'cpu' | 'cpuRequest' | 'memory' | 'memoryRequest' | 'hugepages' | 'minMi' | 'maxMi', number>
>;

/**
 * Where only one of limit and request is given it counts for both: the original took 0 for a missing one, which made
 * its normal classes best effort and its exclusive ones impossible.
 * With huge pages off, their amount is ordinary memory: the engine's buffers lie in it either way.
 */
function sizes(given: Numbers, hugePages: boolean): Pick<Size, 'cpu' | 'memory' | 'hugepagesMi' | 'storage'> {
  const cpu = pair(given.cpu, given.cpuRequest, 'cpu_cores');
  const memory = pair(given.memory, given.memoryRequest, 'mem_limit');
  const huge = given.hugepages ?? 0;
  const ordinary = hugePages ? 0 : huge;
  return {
    cpu: { requestMillis: cpu.request, limitMillis: cpu.limit },
    memory: { requestMi: memory.request + ordinary, limitMi: memory.limit + ordinary },
    hugepagesMi: hugePages ? huge : 0,
    storage: { minMi: given.minMi, maxMi: given.maxMi },
  };
}

function pair(limit: number | undefined, request: number | undefined, key: string): { limit: number; request: number } {
  const upper = limit ?? request;
  const lower = request ?? limit;
  if (!upper || !lower) throw new BadValue(`neither ${key} nor its request is given`, `write ${key} above 0`);
  if (lower > upper) throw new BadValue(`the request of ${key} is above its limit`, 'lower the request');
  return { limit: upper, request: lower };
}

/** `class_specified`: JSON, container -> {cpu_cores, limit_memory, config}. */
function parseContainers(text: string): Size['containers'] {
  const tree = parseJsonObject(text);
  return Object.fromEntries(
    Object.entries(tree).map(([container, value]) => {
      const wish = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
      const entry = (key: string, name: string) => (typeof wish[key] === 'string' ? [[name, wish[key]]] : []);
      return [
        container,
        Object.fromEntries([
          ...entry('cpu_cores', 'cpu'),
          ...entry('limit_memory', 'memory'),
          ...entry('config', 'config'),
        ]),
      ];
    }),
  );
}

function parseJsonObject(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below, like any other text that is no object.
  }
  throw new BadValue('is not a JSON object', 'write {"pfsd": {"cpu_cores": "500m", "limit_memory": "1Gi"}}');
}

function readParameters(
  name: string,
  map: SettingsMap | undefined,
  problems: SettingsProblem[],
): InstanceClass['parameters'] {
  const reader = new MapReader(map, name, problems);
  const entries = Object.entries(map?.data ?? {}).filter(([key]) => {
    const refused = refusedBy15.has(key);
    if (refused) reader.problem(key, 'engines of version 15 refuse this parameter', 'remove it');
    return !refused;
  });
  return Object.fromEntries(entries.map(([key, value]) => [key, unquote(value)]));
}

/**
 * The class of this name.
 * @throws UserError naming `field` and the classes that exist
 */
export function findClass(classes: Classes, name: string, field = 'spec.classInfo.className'): InstanceClass {
  const found = classes.get(name);
  if (found) return found;
  const known = [...classes.keys()].sort().join(', ') || 'none; apply the settings of this site first';
  throw new UserError(field, `no class "${name}"; known: ${known}`);
}

/** Limits and requests of an engine container of this class, as Kubernetes writes quantities. */
export function classResources(size: Pick<InstanceClass, 'cpu' | 'memory' | 'hugepagesMi'>): {
  limits: Record<string, string>;
  requests: Record<string, string>;
} {
  const huge: Record<string, string> = size.hugepagesMi > 0 ? { 'hugepages-2Mi': `${size.hugepagesMi}Mi` } : {};
  return {
    limits: { cpu: cores(size.cpu.limitMillis), memory: `${size.memory.limitMi}Mi`, ...huge },
    requests: { cpu: cores(size.cpu.requestMillis), memory: `${size.memory.requestMi}Mi`, ...huge },
  };
}

const cores = (millis: number): string => (millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`);
