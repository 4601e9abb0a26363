import { expect } from 'chai';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dropUnfinished, keepNewest } from './cache.ts';

describe('cache', () => {
  let cache: string;
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'cache-'));
    for (const [name, age] of [
      ['a1', 1],
      ['a2', 2],
      ['a3', 3],
      ['b1', 9],
    ] as const) {
      await mkdir(join(cache, name));
      await writeFile(join(cache, name, 'file'), name);
      await utimes(join(cache, name), 1000 - age, 1000 - age);
    }
  });
  afterEach(() => rm(cache, { recursive: true }));
  const left = async (): Promise<string[]> => (await readdir(cache)).sort();

  it('keeps the newest of a kind', async () => {
    await keepNewest(cache, /^a\d$/, 2);
    expect(await left()).to.deep.equal(['a1', 'a2', 'b1']);
  });

  it('keeps what is in use beside them', async () => {
    await keepNewest(cache, /^a\d$/, 1, new Set([join(cache, 'a3')]));
    expect(await left()).to.deep.equal(['a1', 'a3', 'b1']);
  });

  it('loses what was not finished', async () => {
    await dropUnfinished(cache, /^b/);
    expect(await left()).to.deep.equal(['a1', 'a2', 'a3']);
  });
});
