import { gunzipSync } from 'node:zlib';
import { DAY_MS } from '../policy.ts';

/**
 * Test only: what a clean-up may do to a tree, said a second time and in another way than the code under test: path by
 * path, from what was there before and what is there after.
 */

export interface Before {
  files: ReadonlyMap<string, string>;
  modifiedAt: (path: string) => number;
}

export interface World {
  now: number;
  named: ReadonlySet<string>;
  /** Since when an instance is known to be nameless, by its folder. */
  namelessSince: ReadonlyMap<string, number>;
  /** Limits of size and space may take what is older than an hour. */
  isTight: boolean;
}

const OVERDUE_MS = 3 * DAY_MS;
const TRASH = '.polardb-stack-trash';
const LOG = /^[1-9]\d*\/(log|data\/log|data\/pg_log|data\/engine\/log|data\/engine\/pg_log)\/(?:.*\/)?([^/]+)$/s;
const ENGINE_LOG = /^postgresql[^]*\.(log|csv|json)(\.gz)?$/;
const PARTIAL = /^postgresql[^]*\.(log|csv|json)(\.gz)?\.gz\.partial$/;

/** Paths that are gone or changed and had to stay, each with why. */
export function violations(before: Before, after: ReadonlyMap<string, string>, world: World): string[] {
  const found: string[] = [];
  for (const [path, content] of before.files) {
    if (after.get(path) === content) continue;
    if (mayGo(path, content, { before, after, world }) === undefined) found.push(JSON.stringify(path));
  }
  for (const [path, content] of after) {
    if (before.files.has(path) || isExpected(path, content, before)) continue;
    found.push(`new: ${JSON.stringify(path)}`);
  }
  return found;
}

interface Case {
  before: Before;
  after: ReadonlyMap<string, string>;
  world: World;
}

/** Why a path may be missing. */
function mayGo(path: string, content: string, it: Case): string | undefined {
  const [top = ''] = path.split('/');
  if (top === TRASH) return inTrash(path, it);
  if (path.endsWith('/') && !/^([1-9]\d*|rm_data_[\w-]+)\//.test(path)) return undefined;
  return asCopy(path, it) ?? asFolder(path, content, it) ?? asLog(path, content, it);
}

function inTrash(path: string, { world: { now, named } }: Case): string | undefined {
  const [, name = ''] = path.split('/');
  if (name.startsWith('orphans.json')) return 'its note';
  if (/^(\d+\.)?rm_data_[\w-]+\.\d+$/.test(name)) return 'a copy';
  const [, instance, seconds] = /^([1-9]\d*)\.(\d+)$/.exec(name) ?? [];
  if (instance === undefined) return undefined;
  if (named.has(instance)) return 'given back';
  return now - Number(seconds) * 1000 > OVERDUE_MS ? 'expired' : undefined;
}

function asCopy(path: string, { before, world }: Case): string | undefined {
  const [copy] = /^(?:[1-9]\d*\/)?rm_data_[\w-]+\//.exec(path) ?? [];
  if (copy === undefined) return undefined;
  const [, y, m, d] = /rm_data_(\d{4})(\d\d)(\d\d)\d{6}\//.exec(copy) ?? [];
  const named = y === undefined ? 0 : Date.parse(`${y}-${m}-${d}T00:00:00Z`);
  return world.now - Math.max(named, before.modifiedAt(copy.slice(0, -1))) > OVERDUE_MS ? 'a copy' : undefined;
}

function asFolder(path: string, content: string, { before, after, world }: Case): string | undefined {
  const [, folder, rest] = /^([1-9]\d*)\/(.*)$/s.exec(path) ?? [];
  if (folder === undefined || rest === undefined || world.named.has(folder)) return undefined;
  const since = world.namelessSince.get(folder);
  if (since === undefined || world.now - since < OVERDUE_MS) return undefined;
  const inside = [...before.files.keys()].filter(it => it.startsWith(`${folder}/`) && it !== `${folder}/`);
  if (!inside.every(it => /^\d+\/(data|log|scripts|rm_data_[\w-]+)\//.test(it))) return undefined;
  const files = inside.filter(it => !it.endsWith('/'));
  if (files.some(it => world.now - before.modifiedAt(it) <= OVERDUE_MS)) return undefined;
  const there = `${TRASH}/${folder}.${Math.floor(world.now / 1000)}/${rest}`;
  return after.get(there) === content ? 'set aside' : undefined;
}

function asLog(path: string, content: string, it: Case): string | undefined {
  const [, , name = ''] = LOG.exec(path) ?? [];
  if (content.startsWith('-> ')) return undefined;
  if (PARTIAL.test(name)) return 'left over';
  const isInUse = !name.endsWith('.gz') && isNewest(path, it.before);
  return !ENGINE_LOG.test(name) || isInUse ? undefined : asOldLog(path, content, it);
}

function asOldLog(path: string, content: string, { before, after, world }: Case): string | undefined {
  const age = world.now - before.modifiedAt(path);
  if (age > OVERDUE_MS || (world.isTight && age > 3_600_000)) return 'old';
  const compressed = after.get(`${path}.gz`);
  return compressed !== undefined && gunzip(compressed) === content ? 'compressed' : undefined;
}

/** Of those whose names differ in digits only; of several that are equally new, one may go. */
function isNewest(path: string, { files, modifiedAt }: Before): boolean {
  const family = (it: string): string => it.replace(/[^/]*$/s, name => name.replace(/\d+/g, '#'));
  const others = [...files].filter(
    ([it, content]) => it !== path && family(it) === family(path) && !content.startsWith('-> ') && !it.endsWith('/'),
  );
  return others.every(([it]) => modifiedAt(it) < modifiedAt(path));
}

/** Something that a clean-up makes. */
function isExpected(path: string, content: string, { files }: Before): boolean {
  if (path.startsWith(`${TRASH}/`)) return true;
  const original = path.endsWith('.gz') ? files.get(path.slice(0, -3)) : undefined;
  if (original !== undefined) return gunzip(content) === original;
  // Back from the trash, at the very place that it had; several may have been there.
  const [folder = '', ...rest] = path.split('/');
  return [...files].some(([it, was]) => {
    const [trash, name = '', ...below] = it.split('/');
    return trash === TRASH && name.startsWith(`${folder}.`) && below.join('/') === rest.join('/') && was === content;
  });
}

const gunzip = (content: string): string => gunzipSync(Buffer.from(content, 'latin1')).toString('latin1');
