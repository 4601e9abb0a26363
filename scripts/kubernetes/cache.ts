import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes all but the newest entries of a cache whose name matches; paths in `used` stay whatever their age. */
export async function keepNewest(
  cache: string,
  name: RegExp,
  count: number,
  used: ReadonlySet<string> = new Set(),
): Promise<void> {
  const paths = (await entriesOf(cache, name)).filter(path => !used.has(path));
  const dated = await Promise.all(paths.map(async path => ({ path, time: (await stat(path)).mtimeMs })));
  const old = dated.toSorted((a, b) => b.time - a.time).slice(count);
  await Promise.all(old.map(({ path }) => remove(path)));
}

/** Removes what builds left that were killed. Only under the lock of these builds: no other one runs then. */
export async function dropUnfinished(cache: string, name: RegExp): Promise<void> {
  await Promise.all((await entriesOf(cache, name)).map(remove));
}

const entriesOf = async (cache: string, name: RegExp): Promise<string[]> =>
  (await readdir(cache)).filter(entry => name.test(entry)).map(entry => join(cache, entry));

const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true });
