import { expect } from 'chai';
import { readFileSync, renameSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { CleanUpFailed } from './cleaner.ts';
import { DAY_MS } from './policy.ts';
import { deletedBy } from './report.ts';
import { Cleaning, rules } from './testing/cleaning.ts';
import { NOW, type Tree } from './testing/tree.ts';

describe('the clean-up of logs', () => {
  let on: Cleaning;
  let tree: Tree;
  let site: Cleaning['site'];

  beforeEach(() => {
    on = new Cleaning();
    ({ tree, site } = on);
  });
  afterEach(() => on.end());

  it('deletes engine logs by age, never the newest or one that is open', async () => {
    site.named.add('1001');
    tree.file('1001/log/postgresql-1.log', 9);
    tree.file('1001/log/postgresql-2.log', 8);
    tree.file('1001/log/postgresql-3.log', 7);
    tree.file('1001/log/deep/postgresql-1.log', 9);
    tree.file('1001/log/manager.log', 99);
    tree.file('1001/data/pg_log/postgresql-1.csv', 9);
    tree.file('1001/data/pg_log/postgresql-2.csv', 0);
    tree.file('1001/data/base/postgresql-1.log', 99);
    tree.file('1001/data/base/postgresql-2.log', 98);
    tree.file('1001/log/postgresql-4.log.gz', 9);
    const { dev, ino } = statSync(`${tree.root}/1001/log/postgresql-1.log`, { bigint: true });
    site.options.readOpen = () => Promise.resolve({ ids: new Set([`${dev}:${ino}`]), isComplete: true });
    expect(rules(await on.clean())).to.deep.equal([
      'LogAge 1001/data/pg_log/postgresql-1.csv',
      'LogAge 1001/log/postgresql-2.log',
      'LogAge 1001/log/postgresql-4.log.gz',
    ]);
    expect(tree.paths()).to.include.members(['1001/log/postgresql-1.log', '1001/log/postgresql-3.log']);
  });

  it('asks once more who is named before a folder in the trash is deleted: others take their time', async () => {
    for (const id of ['1001', '1002'])
      tree.file(`.polardb-stack-trash/${id}.${(NOW - 9 * DAY_MS) / 1000}/data/x`, 99, id);
    let asked = 0;
    site.options.readLive = () => {
      // A cluster that was taken back from a backup while the clean-up runs.
      const names = ++asked === 1 ? [] : ['1001', '1002'];
      return Promise.resolve(new Map(names.map(id => [id, 'cluster db/orders'])));
    };
    expect(rules(await on.apply())).to.deep.equal([]);
    expect([...tree.snapshot().values()]).to.include.members(['1001', '1002']);
  });

  it('compresses a log that is no longer written, and keeps its time', async () => {
    site.named.add('1001');
    tree.file('1001/log/postgresql-1.log', 2, 'lines\n'.repeat(50_000));
    tree.file('1001/log/postgresql-2.log', 1.5);
    tree.file('1001/log/postgresql-1.log.gz.partial', 1);
    const report = await on.clean();
    expect(rules(report)).to.deep.equal([
      'Compress 1001/log/postgresql-1.log',
      'Leftover 1001/log/postgresql-1.log.gz.partial',
    ]);
    const at = `${tree.root}/1001/log/postgresql-1.log.gz`;
    expect(gunzipSync(readFileSync(at)).toString()).to.equal('lines\n'.repeat(50_000));
    expect(statSync(at).mtimeMs).to.equal(NOW - 2 * DAY_MS);
    expect(tree.paths().filter(path => path.includes('log/'))).to.deep.equal([
      '1001/log/',
      '1001/log/postgresql-1.log.gz',
      '1001/log/postgresql-2.log',
    ]);
    expect((await on.clean()).actions).to.deep.equal([]);
  });

  it('replaces no compressed log, and makes none where there is no space', async () => {
    site.named.add('1001');
    for (const name of ['postgresql-1.log', 'postgresql-1.log.gz', 'postgresql-2.log', 'postgresql-3.log'])
      tree.file(`1001/log/${name}`, name.includes('3') ? 0 : 2);
    const before = tree.snapshot();
    site.usedPercent = 84.9;
    site.options.readDisk = () => Promise.resolve({ totalBytes: 2 ** 40, freeBytes: 2 ** 39 });
    const report = await on.apply();
    expect(report.problems).to.deep.equal([
      { path: '1001/log/postgresql-1.log', message: 'its compressed form exists already' },
    ]);
    site.options.readDisk = () => Promise.resolve({ totalBytes: 100, freeBytes: 50 });
    tree.file('1001/log/postgresql-4.log', 2);
    expect((await on.apply()).problems.map(it => it.message)).to.include('there is no space to compress it');
    expect(tree.snapshot().get('1001/log/postgresql-1.log.gz')).to.equal(before.get('1001/log/postgresql-1.log.gz'));
  });

  it('keeps the logs of an instance within their size, the oldest go', async () => {
    site.named.add('1001').add('1002');
    for (let hours = 1; hours <= 10; hours++) {
      tree.file(`1001/log/postgresql-${hours}.log`, hours / 24, 'x'.repeat(4096));
      tree.file(`1002/log/postgresql-${hours}.log`, hours / 24, 'x');
    }
    site.policy = { maxInstanceLogBytes: 4 * 4096 + 100 };
    const report = await on.clean();
    expect(report.totals).to.have.all.keys('LogSize');
    expect(tree.paths().filter(path => /^1001.*log$/.test(path))).to.deep.equal(
      [1, 2, 3, 4].map(hours => `1001/log/postgresql-${hours}.log`),
    );
  });

  it('makes space on a full disk, from the oldest logs of all instances', async () => {
    site.named.add('1001').add('1002');
    for (let hours = 1; hours <= 10; hours++) {
      for (const id of ['1001', '1002']) tree.file(`${id}/log/postgresql-${hours}.log`, hours / 24, 'x'.repeat(4096));
    }
    tree.file('1001/log/postgresql-99.log', 9, 'x'.repeat(4096));
    // 10 % of it are 10 files.
    site.options.readDisk = () => Promise.resolve({ totalBytes: 100 * 4096, freeBytes: 15 * 4096 });
    expect((await on.clean()).totals).to.deep.equal({
      LogAge: { items: 1, bytes: 4096 },
      DiskPressure: { items: 10, bytes: 10 * 4096 },
    });
    expect(tree.paths().filter(path => path.endsWith('.log'))).to.have.length(10);
  });

  it('lets the folder of an instance go in steps', async () => {
    site.named.add('1001');
    tree.file('1001/data/base/1', 9);
    tree.file('1002/data/base/1', 9, 'rows');
    tree.file('1002/log/start.log', 9);
    const asked = tree.snapshot();
    expect((await on.clean()).kept).to.deep.include({
      path: '1002',
      why: 'nobody names it',
      until: new Date(NOW + 3 * DAY_MS).toISOString(),
    });
    site.now += 3 * DAY_MS - 1;
    expect((await on.clean()).actions).to.deep.equal([]);
    expect(tree.snapshot()).to.include.all.keys(...asked.keys());
    site.now += 1;
    expect(rules(await on.clean())).to.deep.equal(['OrphanFolder 1002']);
    expect(tree.paths().some(path => path.startsWith('1002'))).to.equal(false);
    const [trashed] = tree.paths().filter(path => path.endsWith('data/base/1') && path.startsWith('.'));
    expect(tree.snapshot().get(trashed!)).to.equal('rows');
    site.now += 3 * DAY_MS;
    expect((await on.clean()).actions).to.deep.equal([]);
    site.now += 1_000;
    const last = await on.clean();
    expect(last.actions.map(it => it.rule)).to.deep.equal(['TrashExpired']);
    expect(deletedBy(last).bytes).to.be.above(0);
    expect(tree.paths()).to.deep.equal([
      '.polardb-stack-trash/',
      '.polardb-stack-trash/orphans.json',
      '1001/',
      '1001/data/',
      '1001/data/base/',
      '1001/data/base/1',
    ]);
  });

  it('waits anew for an instance that was named meanwhile', async () => {
    tree.file('1002/data/x', 9);
    await on.clean();
    site.now += 2 * DAY_MS;
    site.named.add('1002');
    await on.clean();
    site.now += 2 * DAY_MS;
    site.named.clear();
    expect((await on.clean()).actions).to.deep.equal([]);
    site.now += 2 * DAY_MS;
    expect((await on.clean()).actions).to.deep.equal([]);
  });

  it('asks again who is named before a folder goes', async () => {
    tree.file('1002/data/x', 9);
    await on.clean();
    site.now += 4 * DAY_MS;
    let asked = 0;
    site.options.readLive = () => Promise.resolve(new Map(asked++ === 0 ? [] : [['1002', 'cluster db/new']]));
    const report = await on.apply();
    expect(report.actions).to.deep.equal([]);
    expect(report.kept).to.deep.equal([{ path: '1002', why: 'named by cluster db/new' }]);
  });

  it('spares a folder with something new or open in it', async () => {
    tree.file('1002/data/x', 9);
    tree.file('1002/data/y', 9);
    await on.clean();
    site.now += 4 * DAY_MS;
    const { dev, ino } = statSync(`${tree.root}/1002/data/y`, { bigint: true });
    site.options.readOpen = () => Promise.resolve({ ids: new Set([`${dev}:${ino}`]), isComplete: true });
    expect((await on.clean()).kept[0]).to.include({ why: 'a process has a file of it open' });
    site.options = {};
    tree.age('1002/data/x', -3);
    expect((await on.clean()).kept[0]).to.include({ why: 'it was written to' });
  });

  it('gives a folder back to an instance that is named again, and never deletes it while another is there', async () => {
    tree.file('1002/data/x', 9, 'rows');
    await on.clean();
    site.now += 4 * DAY_MS;
    await on.clean();
    site.named.add('1002');
    tree.directory('1002');
    site.now += 40 * DAY_MS;
    expect((await on.clean()).problems[0]!.message).to.match(/^named again by cluster db\/orders/);
    renameSync(`${tree.root}/1002`, `${tree.root}/1003`);
    await on.clean();
    expect(tree.snapshot().get('1002/data/x')).to.equal('rows');
  });

  it('deletes copies of data directories by age, in folders and beside them', async () => {
    site.named.add('1001');
    for (const at of ['', '1001/']) {
      tree.file(`${at}rm_data_20260101000000/base/1`, 99);
      tree.directory(`${at}rm_data_20260101000000`, 99);
      tree.file(`${at}rm_data_20260531000000/base/1`, 99);
      // A copy has the times of what was copied.
      tree.directory(`${at}rm_data_20260531000000`, 99);
    }
    tree.file('1001/data/rm_data_1/x', 99);
    tree.directory('1001/data/rm_data_1', 99);
    tree.file('rm_data_file', 99);
    expect(rules(await on.clean())).to.deep.equal([
      'RmDataAge 1001/rm_data_20260101000000',
      'RmDataAge rm_data_20260101000000',
    ]);
    expect(tree.paths()).to.include.members(['1001/data/rm_data_1/x', 'rm_data_file', 'rm_data_20260531000000/base/1']);
    expect(tree.paths().filter(path => path.startsWith('.'))).to.deep.equal(['.polardb-stack-trash/']);
  });

  it('goes on with a copy that it could not delete at once', async () => {
    tree.file('rm_data_1/a/b', 99);
    tree.directory('rm_data_1', 99);
    const abort = new AbortController();
    site.options.readDisk = () => {
      // The first thing that is deleted breaks off.
      queueMicrotask(() => abort.abort());
      return Promise.resolve({ totalBytes: 100, freeBytes: 50 });
    };
    const failed: unknown = await site.cleaner.apply(abort.signal).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(CleanUpFailed);
    expect((failed as CleanUpFailed).report.state).to.equal('failed');
    site.options = {};
    await on.apply();
    expect(tree.paths().some(path => path.includes('rm_data'))).to.equal(false);
  });
});
