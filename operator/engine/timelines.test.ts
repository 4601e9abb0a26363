import { expect } from 'chai';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { scratch } from './testing/scratch.ts';
import { releaseTimelines, reserveTimelines } from './timelines.ts';

describe('numbers of timelines', () => {
  const { path } = scratch();
  /** Real histories that are there before, by number in hexadecimal. */
  const write = async (...numbers: string[]): Promise<void> => {
    for (const number of numbers) await writeFile(path(`${number.padStart(8, '0')}.history`), '1\t0/3000000\tno\n');
  };
  /** Empty ones in brackets. */
  const files = async (): Promise<string[]> => {
    const names = (await readdir(path('.'))).sort();
    return Promise.all(
      names.map(async name => {
        const number = name.replace(/^0+/, '').replace('.history', '');
        return (await stat(path(name))).size > 0 ? number : `[${number}]`;
      }),
    );
  };

  for (const [what, real, epoch, after, opens] of [
    ['the first grant', [], 1, [], 2],
    ['every epoch had its promotion', [], 2, [], 2],
    ['an epoch without one', ['2'], 4, ['2', '[3]'], 4],
    ['a member that was filled from an RW of a later timeline', ['5'], 7, ['[2]', '[3]', '[4]', '5', '[6]'], 7],
    ['a timeline that is beyond the epoch', ['2', '3', '4'], 3, ['2', '3', '4'], 5],
    [
      'numbers are hexadecimal',
      ['2', '3', '4', '5', '6', '7', '8', '9'],
      12,
      ['2', '3', '4', '5', '6', '7', '8', '9', '[A]', '[B]'],
      12,
    ],
  ] as const) {
    it(`are reserved up to the epoch: ${what}`, async () => {
      await write(...real);
      expect(await reserveTimelines(path('.'), epoch)).to.equal(opens);
      expect(await reserveTimelines(path('.'), epoch)).to.equal(opens);
      expect(await files()).to.deep.equal(after);
    });
  }

  it('are private files', async () => {
    await reserveTimelines(path('.'), 3);
    expect((await stat(path('00000002.history'))).mode & 0o777).to.equal(0o600);
  });

  for (const [what, real, epoch, after] of [
    ['nothing came of any', [], 4, []],
    ['those above the newest history go', ['3'], 6, ['[2]', '3']],
    ['all are below a history', ['6'], 6, ['[2]', '[3]', '[4]', '[5]', '6']],
  ] as const) {
    it(`are released: ${what}`, async () => {
      await write(...real);
      await reserveTimelines(path('.'), epoch);
      await releaseTimelines(path('.'));
      expect(await files()).to.deep.equal(after);
    });
  }

  for (const [what, real, begun, after] of [
    ['its history goes with them', ['3', '6'], 6, ['[2]', '3']],
    ['it came to none', ['3'], 6, ['[2]', '3']],
    ['one that was opened since stays', ['3', '7'], 6, ['[2]', '3', '[4]', '[5]', '[6]', '7']],
  ] as const) {
    it(`a promotion was killed before it was over: ${what}`, async () => {
      await write(...real);
      await reserveTimelines(path('.'), Math.max(begun, ...real.map(Number)));
      await releaseTimelines(path('.'), begun);
      expect(await files()).to.deep.equal(after);
    });
  }

  it('nothing else in the directory is touched', async () => {
    const others = ['00000002.history.backup', '000000010000000000000002', '00000002.history.tmp'];
    for (const name of others) await writeFile(path(name), '');
    await mkdir(path('archive_status'));
    await releaseTimelines(path('.'));
    await releaseTimelines(path('none'));
    expect(await readdir(path('.'))).to.have.members([...others, 'archive_status']);
  });
});
