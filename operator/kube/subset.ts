import { isDeepStrictEqual } from 'node:util';
import { isSameQuantity } from './quantity.ts';

/**
 * Does a live object hold all that is desired? Answers with the first path that differs. What the live object has
 * beyond that (defaults of the server, fields of others) is none of our business.
 *
 * The server writes some things in its own way, and that is no difference:
 *  - zero values ("", 0, false, [], {}) of plain fields are left out;
 *  - quantities are brought into canonical form (`1000m` becomes `1`);
 *  - lists that are merged by a key (containers, env, ports ...) may hold further items, in any order.
 * Limit: a pointer field that was desired as a zero value and was then removed by somebody is not noticed.
 */
export function firstDifference(desired: unknown, live: unknown, path = ''): string | undefined {
  if (isAbsent(desired)) return undefined;
  if (isAbsent(live)) return isZero(desired) ? undefined : path;
  if (Array.isArray(desired)) return Array.isArray(live) ? listDifference(desired, live, path) : path;
  if (isRecord(desired)) return isRecord(live) ? recordDifference(desired, live, path) : path;
  return isSameScalar(desired, live, path) ? undefined : path;
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function isSameScalar(desired: unknown, live: unknown, path: string): boolean {
  return desired === live || (isQuantityPath(path) && isSameQuantity(desired, live));
}

function recordDifference(
  desired: Record<string, unknown>,
  live: Record<string, unknown>,
  path: string,
): string | undefined {
  // Whoever narrows a selector leads away what it selects.
  if (ATOMIC.test(path)) return isDeepStrictEqual(plainOf(desired), plainOf(live)) ? undefined : path;
  for (const [key, value] of Object.entries(desired)) {
    const difference = firstDifference(value, live[key], path === '' ? key : `${path}.${key}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** Selectors of Services and budgets: one value as a whole, also for apply. */
const ATOMIC = /^spec\.selector$/;

const plainOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function listDifference(desired: unknown[], live: unknown[], path: string): string | undefined {
  const keys = mergeKeys(path, desired);
  if (!keys) return atomicDifference(desired, live, path);
  for (const item of desired) {
    const id = identity(item, keys);
    const match = live.find(candidate => identity(candidate, keys) === id);
    const difference = firstDifference(item, match, `${path}[${id}]`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** Lists without a merge key belong to one owner as a whole. */
function atomicDifference(desired: unknown[], live: unknown[], path: string): string | undefined {
  if (desired.length !== live.length) return path;
  for (const [index, item] of desired.entries()) {
    const difference = firstDifference(item, live[index], `${path}[${index}]`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** Merge keys of the built-in kinds, by the name of the list; those that need more context are in mergeKeys. */
const MERGE_KEYS: Record<string, readonly string[]> = {
  containers: ['name'],
  initContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  imagePullSecrets: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  ownerReferences: ['uid'],
  conditions: ['type'],
  // One value for apply, but admission adds the node conditions' own to every pod.
  tolerations: ['key', 'effect'],
};

/** Sets of plain values that others may add to. */
const SETS = new Set(['metadata.finalizers']);

function mergeKeys(path: string, items: unknown[]): readonly string[] | undefined {
  if (SETS.has(path)) return [];
  if (!items.every(isRecord)) return undefined;
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (name !== 'ports') return MERGE_KEYS[name];
  // Ports of an EndpointSlice (at the root) are one value; those of containers and Services are merged.
  if (path === 'ports') return undefined;
  return items.some(item => 'containerPort' in item) ? ['containerPort', 'protocol'] : ['port', 'protocol'];
}

const KEY_DEFAULT: Record<string, string> = { protocol: 'TCP' };

function plain(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function identity(item: unknown, keys: readonly string[]): string {
  if (!isRecord(item)) return plain(item);
  return keys.map(key => plain(item[key] ?? KEY_DEFAULT[key])).join('/');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isRecord(value)) return Object.values(value).every(item => isAbsent(item) || isZero(item));
  return value === '' || value === 0 || value === false;
}

/** Only here may two spellings mean one amount; elsewhere "1" and 1 differ. */
function isQuantityPath(path: string): boolean {
  return /(^|\.)(limits|requests|capacity|hard|sizeLimit)(\.|$)/.test(path);
}
