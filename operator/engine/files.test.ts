import { expect } from 'chai';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { ensurePrivateDirectory, readIfExists, removeDurably, writeFileAtomic, writeIfChanged } from './files.ts';
import { scratch } from './testing/scratch.ts';

describe('files of the engine', () => {
  const { path } = scratch();

  it('are replaced as a whole, private, also after a crash that left a temporary file', async () => {
    await writeFile(path('.a.new'), 'left by a crash', { mode: 0o666 });
    await writeFileAtomic(path('a'), 'one');
    await writeFileAtomic(path('a'), 'two');
    expect(await readFile(path('a'), 'utf8')).to.equal('two');
    expect((await stat(path('a'))).mode & 0o777).to.equal(0o600);
    expect(await readdir(path('.'))).to.deep.equal(['a']);
  });

  it('are not touched when nothing changes', async () => {
    expect(await writeIfChanged(path('a'), 'one')).to.equal(true);
    const before = await stat(path('a'));
    expect(await writeIfChanged(path('a'), 'one')).to.equal(false);
    expect((await stat(path('a'))).ino).to.equal(before.ino);
  });

  it('may be missing', async () => {
    expect(await readIfExists(path('a'))).to.equal(undefined);
    await removeDurably(path('a'));
    await removeDurably(path('no/such/directory'));
  });

  it('lie in private directories, never behind a link', async () => {
    await mkdir(path('a'), { mode: 0o777 });
    await ensurePrivateDirectory(path('a'));
    expect((await stat(path('a'))).mode & 0o777).to.equal(0o700);
    await symlink(path('a'), path('b'));
    expect(await ensurePrivateDirectory(path('b')).catch((error: unknown) => error)).to.match(/is not a directory/);
  });
});
