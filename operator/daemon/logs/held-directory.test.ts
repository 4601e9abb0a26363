import { expect } from 'chai';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { HeldDirectory, OtherMount } from './held-directory.ts';
import { Tree } from './testing/tree.ts';
import { descend, removeTree, walkFiles } from './walk.ts';

describe('a directory that is held open', () => {
  let tree: Tree;
  let root: HeldDirectory;

  beforeEach(async () => {
    tree = new Tree();
    root = await HeldDirectory.open(tree.root);
  });
  afterEach(async () => {
    await root.close();
    tree.remove();
  });

  const refusal = (act: Promise<unknown>): Promise<string> =>
    act.then(
      () => 'none',
      (error: unknown) => (error as { code?: string }).code ?? (error as Error).message,
    );
  const unaborted = new AbortController().signal;

  it('stays what it is when its path leads elsewhere', async () => {
    tree.file('kept', 0);
    renameSync(tree.root, `${tree.base}/moved`);
    symlinkSync(tree.outside, tree.root);
    await root.unlink('kept');
    expect(await refusal(root.unlink('postgresql-1.log'))).to.equal('ENOENT');
    rmSync(tree.root);
    renameSync(`${tree.base}/moved`, tree.root);
  });

  it('enters no link, no file and no other mount', async () => {
    tree.link('link', tree.outside);
    tree.file('file', 0);
    expect(await refusal(root.child('link'))).to.be.oneOf(['ENOTDIR', 'ELOOP']);
    expect(await refusal(root.child('file'))).to.equal('ENOTDIR');
    const top = await HeldDirectory.open('/');
    expect(await top.child('proc').catch((error: unknown) => error)).to.be.instanceOf(OtherMount);
    await top.close();
    expect(await descend(root, ['link', 'log'])).to.equal(undefined);
  });

  it('takes names only, not paths', async () => {
    for (const name of ['', '.', '..', 'a/b', '/etc', 'a\0b'])
      expect(await refusal(root.facts(name)), name).to.equal('not a name');
  });

  it('gives and takes names as bytes', async () => {
    tree.file('\xff\n\xc3', 0, 'odd');
    const names: string[] = [];
    for await (const { name } of root.entries()) names.push(name);
    expect(names).to.deep.equal(['\xff\n\xc3']);
    await root.unlink(names[0]!);
    expect(tree.paths()).to.deep.equal([]);
  });

  it('opens no link as a file, and waits for no pipe', async () => {
    tree.link('link', `${tree.outside}/postgresql-1.log`);
    expect(await refusal(root.openFile('link'))).to.equal('ELOOP');
    tree.file('there', 0);
    expect(await refusal(root.createFile('there', 0o600))).to.equal('EEXIST');
    expect(await refusal(root.link('there', 'link'))).to.equal('EEXIST');
  });

  it('deletes a tree with everything in it and nothing that it leads to', async () => {
    for (let n = 0; n < 700; n++) tree.file(`gone/${n % 7}/${n}`, 0);
    tree.link('gone/out', tree.outside);
    tree.directory(`gone/${Array.from({ length: 40 }, () => 'deep').join('/')}`);
    const removed = { files: 0, bytes: 0 };
    await removeTree(root, 'gone', { signal: unaborted, removed });
    expect(removed.files).to.equal(701);
    expect(tree.paths()).to.deep.equal([]);
    expect(tree.snapshot(tree.outside).size).to.equal(4);
  });

  it('tells directories that are too deep, and leaves them', async () => {
    mkdirSync(`${tree.root}/${Array.from({ length: 150 }, () => 'd').join('/')}`, { recursive: true });
    const problems: unknown[] = [];
    const options = { signal: unaborted, onProblem: (_: string, error: unknown) => problems.push(error) };
    for await (const found of walkFiles({ directory: root, path: '' }, options)) expect.fail(found.path);
    expect(problems).to.have.length(1);
    const removal = removeTree(root, 'd', { signal: unaborted, removed: { files: 0, bytes: 0 } });
    expect(await refusal(removal)).to.match(/directories deep/);
  });

  it('goes on when files vanish and appear meanwhile', async () => {
    for (let n = 0; n < 1000; n++) tree.file(`d/${n}`, 0);
    const problems: unknown[] = [];
    let seen = 0;
    const options = { signal: unaborted, onProblem: (_: string, error: unknown) => problems.push(error) };
    for await (const { name } of walkFiles({ directory: root, path: '' }, options)) {
      seen++;
      rmSync(`${tree.root}/d/${(Number(name) + 500) % 1000}`, { force: true });
      if (seen < 100) writeFileSync(`${tree.root}/d/${1000 + seen}`, '');
    }
    expect(problems).to.deep.equal([]);
    expect(seen).to.be.within(500, 1100);
  });
});
