import { expect } from 'chai';
import { appendFileSync, readFileSync, statSync, chmodSync, renameSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { compressLog } from './compress.ts';
import { HeldDirectory } from './held-directory.ts';
import { Tree } from './testing/tree.ts';
import type { Found } from './walk.ts';

describe('compression of a log', () => {
  let tree: Tree;
  let directory: HeldDirectory;
  const name = 'postgresql-1.log';
  const content = Array.from({ length: 100_000 }, (_, n) => `line ${n}\n`).join('');

  beforeEach(async () => {
    tree = new Tree();
    tree.file(name, 2, content);
    directory = await HeldDirectory.open(tree.root);
  });
  afterEach(async () => {
    await directory.close();
    tree.remove();
  });

  const found = async (): Promise<Found> => ({ directory, name, path: name, facts: (await directory.facts(name))! });
  const compress = async (signal = new AbortController().signal): Promise<string | undefined> =>
    compressLog(await found(), signal);

  it('keeps every byte, the rights and the time', async () => {
    chmodSync(`${tree.root}/${name}`, 0o640);
    const before = statSync(`${tree.root}/${name}`);
    const id = await compress();
    expect(tree.paths()).to.deep.equal([`${name}.gz`]);
    const after = statSync(`${tree.root}/${name}.gz`);
    expect([after.mode, after.uid, after.gid, after.mtimeMs]).to.deep.equal([
      before.mode,
      before.uid,
      before.gid,
      before.mtimeMs,
    ]);
    expect(id).to.equal(`${after.dev}:${after.ino}`);
    expect(gunzipSync(readFileSync(`${tree.root}/${name}.gz`)).toString()).to.equal(content);
  });

  it('leaves a log that is written to meanwhile', async () => {
    const running = compress();
    // Between two pieces of the file.
    await new Promise(setImmediate);
    appendFileSync(`${tree.root}/${name}`, 'one more');
    const made = await running;
    const kept = made === undefined ? readFileSync(`${tree.root}/${name}`) : readFileSync(`${tree.root}/${name}.gz`);
    expect(made === undefined ? kept.toString() : gunzipSync(kept).toString()).to.equal(`${content}one more`);
    expect(tree.paths()).to.have.length(1);
  });

  it('leaves a log that is written to while its compressed form comes to the disk', async () => {
    const sync = directory.sync.bind(directory);
    directory.sync = async () => {
      await sync();
      appendFileSync(`${tree.root}/${name}`, 'one more');
    };
    expect(await compress()).to.equal(undefined);
    expect(tree.paths()).to.deep.equal([name]);
    expect(tree.snapshot().get(name)).to.equal(`${content}one more`);
  });

  it('leaves a file that took its place', async () => {
    const seen = await found();
    renameSync(`${tree.root}/${name}`, `${tree.root}/other`);
    writeFileSync(`${tree.root}/${name}`, 'new');
    expect(await compressLog(seen, new AbortController().signal)).to.equal(undefined);
    expect(tree.snapshot().get(name)).to.equal('new');
  });

  it('leaves nothing behind when it is called off', async () => {
    const abort = new AbortController();
    const running = compress(abort.signal);
    setImmediate(() => abort.abort());
    expect(await running.catch((error: unknown) => (error as Error).name)).to.equal('AbortError');
    expect(tree.paths()).to.deep.equal([name]);
  });
});
