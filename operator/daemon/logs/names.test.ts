import { expect } from 'chai';
import {
  isEngineLog,
  isInstanceName,
  isPartial,
  isRmData,
  logFamily,
  parseTrashName,
  rmDataTime,
  shownName,
  trashName,
} from './names.ts';

describe('names of what is cleaned up', () => {
  for (const [name, expected] of [
    ['1001', true],
    ['7', true],
    ['', false],
    ['0', false],
    ['01001', false],
    ['1001 ', false],
    ['1001\n', false],
    ['-1001', false],
    ['..', false],
    ['lost+found', false],
    ['1e3', false],
    ['\u00b2', false],
  ] as const)
    it(`${JSON.stringify(name)} is ${expected ? 'an' : 'no'} instance`, () =>
      expect(isInstanceName(name)).to.equal(expected));

  for (const [name, expected] of [
    ['postgresql-2026-01-01_000000.log', true],
    ['postgresql.log', true],
    ['postgresql-2026-01-01_000000_audit.log', true],
    ['postgresql-1.csv', true],
    ['postgresql-1.json.gz', true],
    ['postgresql-\xff\n.log', true],
    ['postgresql-1.log.1', false],
    ['manager.log', false],
    ['start.log', false],
    ['my-postgresql-1.log', false],
    ['postgresql.conf', false],
    ['postgresql-1.LOG', false],
  ] as const)
    it(`${JSON.stringify(name)} is ${expected ? 'an' : 'no'} engine log`, () =>
      expect(isEngineLog(name)).to.equal(expected));

  it('knows what a compression left behind', () => {
    expect(isPartial('postgresql-1.log.gz.partial')).to.equal(true);
    expect(isPartial('notes.gz.partial')).to.equal(false);
  });

  it('takes files whose names differ in digits for one family', () => {
    expect(logFamily('postgresql-2026-01-01_000000.log')).to.equal(logFamily('postgresql-2025-12-31_235959.log'));
    expect(logFamily('postgresql-2026-01-01_000000.log')).not.to.equal(
      logFamily('postgresql-2026-01-01_000000_audit.log'),
    );
  });

  it('reads the moment in the name of a copy', () => {
    expect(rmDataTime('rm_data_20260102030405')).to.equal(Date.UTC(2026, 0, 2, 3, 4, 5));
    expect(rmDataTime('rm_data_old')).to.equal(undefined);
    expect(isRmData('rm_data_')).to.equal(false);
    expect(isRmData('rm_data_a/b')).to.equal(false);
  });

  it('finds in a name in the trash what it was', () => {
    const at = Date.UTC(2026, 0, 1);
    expect(parseTrashName(trashName('1001', at))).to.deep.equal({ instance: '1001', isCopy: false, since: at });
    expect(parseTrashName(trashName('rm_data_1', at, '1001'))).to.deep.equal({
      instance: '1001',
      isCopy: true,
      since: at,
    });
    expect(parseTrashName(trashName('rm_data_1', at))).to.deep.equal({ instance: undefined, isCopy: true, since: at });
    for (const name of ['1001', '12345.', '.123', 'notes.123', '1001.x.123', 'orphans.json'])
      expect(parseTrashName(name), name).to.equal(undefined);
  });

  it('shows a name so that it deceives nobody', () => {
    expect(shownName('a b')).to.equal('a b');
    expect(shownName(Buffer.from('größe', 'utf8').toString('latin1'))).to.equal('größe');
    expect(shownName('x\n\x1b[31m\xff')).to.equal('x\\u{a}\\u{1b}[31m\\u{fffd}');
  });
});
