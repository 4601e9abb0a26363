import { expect } from 'chai';
import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Place } from './place.ts';
import { scratch } from './testing/scratch.ts';

describe('a place that is filled as a whole', () => {
  const { path } = scratch();
  const open = () => new Place(path('pgdata'), 'proof');
  const finish = () => writeFile(path('pgdata/proof'), '');

  it('is blank, then holds data, in a private directory', async () => {
    expect(await open().state()).to.equal('blank');
    await open().fill('test', finish);
    expect(await open().state()).to.equal('initialized');
    expect((await stat(path('pgdata'))).mode & 0o777).to.equal(0o700);
  });

  it('is partial until the work ended, and is emptied before it is done again', async () => {
    const broken = open().fill('test', async () => {
      await finish();
      throw new Error('crashed');
    });
    expect(await broken.catch((error: unknown) => error)).to.match(/crashed/);
    expect(await open().state()).to.equal('partial');
    let found: string[] | undefined;
    await open().fill('test', async () => {
      found = await readdir(path('pgdata'));
      await finish();
    });
    expect(found).to.deep.equal([]);
    expect(await open().state()).to.equal('initialized');
  });

  it('is partial before the first byte is written', async () => {
    let state: string | undefined;
    await open().fill('test', async () => {
      state = await open().state();
      await finish();
    });
    expect(state).to.equal('partial');
  });

  for (const [what, file] of [
    ['data', 'proof'],
    ['foreign files', 'holiday.jpg'],
  ] as const) {
    it(`is never emptied when it holds ${what}`, async () => {
      await mkdir(path('pgdata'));
      await writeFile(path(join('pgdata', file)), '');
      const error = await open()
        .fill('test', finish)
        .catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: 'NotBlank' });
      expect(await readdir(path('pgdata'))).to.deep.equal([file]);
    });
  }

  it('needs no room to be emptied: what was not finished may have filled the disk', async () => {
    await open()
      .fill('test', () => Promise.reject(new Error('no space left on device')))
      .catch(() => undefined);
    // What keeps the marker from being written anew.
    await mkdir(path('.pgdata.incomplete.new'));
    await open().fill('test', finish);
    expect(await open().state()).to.equal('initialized');
  });

  it('is emptied without following links out of it', async () => {
    await mkdir(path('elsewhere'));
    await writeFile(path('elsewhere/precious'), '');
    const broken = open().fill('test', async () => {
      await symlink(path('elsewhere'), path('pgdata/link'));
      throw new Error('crashed');
    });
    await broken.catch(() => undefined);
    await open().fill('test', finish);
    expect(await readdir(path('elsewhere'))).to.deep.equal(['precious']);
  });

  for (const [what, isUntouched, state] of [
    ['before anything was changed counts as before', true, 'initialized'],
    ['later is never taken for a database again', false, 'partial'],
  ] as const) {
    it(`whose rework fails ${what}`, async () => {
      await open().fill('test', finish);
      let meanwhile: string | undefined;
      const failing = async (): Promise<void> => {
        meanwhile = await open().state();
        throw new Error('failed');
      };
      const error = await open()
        .rework('test', failing, () => isUntouched)
        .catch((thrown: unknown) => thrown);
      expect(error).to.match(/failed/);
      expect([meanwhile, await open().state()]).to.deep.equal(['partial', state]);
    });
  }
});
