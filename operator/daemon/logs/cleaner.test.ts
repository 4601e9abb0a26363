import { expect } from 'chai';
import { existsSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { CleanUpFailed, NoLogRoot, type LogsCleaner } from './cleaner.ts';
import { DAY_MS } from './policy.ts';
import { deletedBy, type LogsReport } from './report.ts';
import { NOW, siteOf, Tree, unaborted, type Site } from './testing/tree.ts';

describe('the clean-up of logs', () => {
  let tree: Tree;
  let site: Site & { cleaner: LogsCleaner };
  let outside: Map<string, string>;

  beforeEach(() => {
    tree = new Tree();
    site = siteOf(tree);
    outside = tree.snapshot(tree.outside);
  });
  afterEach(() => {
    expect(tree.snapshot(tree.outside)).to.deep.equal(outside);
    tree.remove();
  });

  const apply = (): Promise<LogsReport> => site.cleaner.apply(unaborted());
  /** The plan, then its execution: they must say the same. */
  const clean = async (): Promise<LogsReport> => {
    const before = tree.snapshot();
    const plan = await site.cleaner.plan(unaborted());
    expect(tree.snapshot(), 'a plan changes nothing').to.deep.equal(before);
    const report = await apply();
    expect(plan.actions).to.have.deep.members(report.actions);
    expect(plan.totals).to.deep.equal(report.totals);
    return report;
  };
  const rules = (report: LogsReport): string[] => report.actions.map(it => `${it.rule} ${it.path}`).sort();

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
    expect(rules(await clean())).to.deep.equal([
      'LogAge 1001/data/pg_log/postgresql-1.csv',
      'LogAge 1001/log/postgresql-2.log',
      'LogAge 1001/log/postgresql-4.log.gz',
    ]);
    expect(tree.paths()).to.include.members(['1001/log/postgresql-1.log', '1001/log/postgresql-3.log']);
  });

  it('compresses a log that is no longer written, and keeps its time', async () => {
    site.named.add('1001');
    tree.file('1001/log/postgresql-1.log', 2, 'lines\n'.repeat(50_000));
    tree.file('1001/log/postgresql-2.log', 1.5);
    tree.file('1001/log/postgresql-1.log.gz.partial', 1);
    const report = await clean();
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
    expect((await clean()).actions).to.deep.equal([]);
  });

  it('replaces no compressed log, and makes none where there is no space', async () => {
    site.named.add('1001');
    for (const name of ['postgresql-1.log', 'postgresql-1.log.gz', 'postgresql-2.log', 'postgresql-3.log'])
      tree.file(`1001/log/${name}`, name.includes('3') ? 0 : 2);
    const before = tree.snapshot();
    site.usedPercent = 84.9;
    site.options.readDisk = () => Promise.resolve({ totalBytes: 2 ** 40, freeBytes: 2 ** 39 });
    const report = await apply();
    expect(report.problems).to.deep.equal([
      { path: '1001/log/postgresql-1.log', message: 'its compressed form exists already' },
    ]);
    site.options.readDisk = () => Promise.resolve({ totalBytes: 100, freeBytes: 50 });
    tree.file('1001/log/postgresql-4.log', 2);
    expect((await apply()).problems.map(it => it.message)).to.include('there is no space to compress it');
    expect(tree.snapshot().get('1001/log/postgresql-1.log.gz')).to.equal(before.get('1001/log/postgresql-1.log.gz'));
  });

  it('keeps the logs of an instance within their size, the oldest go', async () => {
    site.named.add('1001').add('1002');
    for (let hours = 1; hours <= 10; hours++) {
      tree.file(`1001/log/postgresql-${hours}.log`, hours / 24, 'x'.repeat(4096));
      tree.file(`1002/log/postgresql-${hours}.log`, hours / 24, 'x');
    }
    site.policy = { maxInstanceLogBytes: 4 * 4096 + 100 };
    const report = await clean();
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
    expect((await clean()).totals).to.deep.equal({
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
    expect((await clean()).kept).to.deep.include({
      path: '1002',
      why: 'nobody names it',
      until: new Date(NOW + 3 * DAY_MS).toISOString(),
    });
    site.now += 3 * DAY_MS - 1;
    expect((await clean()).actions).to.deep.equal([]);
    expect(tree.snapshot()).to.include.all.keys(...asked.keys());
    site.now += 1;
    expect(rules(await clean())).to.deep.equal(['OrphanFolder 1002']);
    expect(tree.paths().some(path => path.startsWith('1002'))).to.equal(false);
    const [trashed] = tree.paths().filter(path => path.endsWith('data/base/1') && path.startsWith('.'));
    expect(tree.snapshot().get(trashed!)).to.equal('rows');
    site.now += 3 * DAY_MS;
    expect((await clean()).actions).to.deep.equal([]);
    site.now += 1_000;
    const last = await clean();
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
    await clean();
    site.now += 2 * DAY_MS;
    site.named.add('1002');
    await clean();
    site.now += 2 * DAY_MS;
    site.named.clear();
    expect((await clean()).actions).to.deep.equal([]);
    site.now += 2 * DAY_MS;
    expect((await clean()).actions).to.deep.equal([]);
  });

  it('asks again who is named before a folder goes', async () => {
    tree.file('1002/data/x', 9);
    await clean();
    site.now += 4 * DAY_MS;
    let asked = 0;
    site.options.readLive = () => Promise.resolve(new Map(asked++ === 0 ? [] : [['1002', 'cluster db/new']]));
    const report = await apply();
    expect(report.actions).to.deep.equal([]);
    expect(report.kept).to.deep.equal([{ path: '1002', why: 'named by cluster db/new' }]);
  });

  it('spares a folder with something new or open in it', async () => {
    tree.file('1002/data/x', 9);
    tree.file('1002/data/y', 9);
    await clean();
    site.now += 4 * DAY_MS;
    const { dev, ino } = statSync(`${tree.root}/1002/data/y`, { bigint: true });
    site.options.readOpen = () => Promise.resolve({ ids: new Set([`${dev}:${ino}`]), isComplete: true });
    expect((await clean()).kept[0]).to.include({ why: 'a process has a file of it open' });
    site.options = {};
    tree.age('1002/data/x', -3);
    expect((await clean()).kept[0]).to.include({ why: 'it was written to' });
  });

  it('gives a folder back to an instance that is named again, and never deletes it while another is there', async () => {
    tree.file('1002/data/x', 9, 'rows');
    await clean();
    site.now += 4 * DAY_MS;
    await clean();
    site.named.add('1002');
    tree.directory('1002');
    site.now += 40 * DAY_MS;
    expect((await clean()).problems[0]!.message).to.match(/^named again by cluster db\/orders/);
    renameSync(`${tree.root}/1002`, `${tree.root}/1003`);
    await clean();
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
    expect(rules(await clean())).to.deep.equal([
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
    await apply();
    expect(tree.paths().some(path => path.includes('rm_data'))).to.equal(false);
  });

  it('leaves alone what is not an instance', async () => {
    for (const name of ['lost+found', 'backup', '-rf', '01001', '1001 ', '\xff\xfe', '...', '1001\n'])
      tree.file(`${name}/log/postgresql-1.log`, 99);
    tree.file('1003', 99);
    tree.file('1004/data/x', 99);
    tree.file('1004/my-backup', 99);
    tree.file('1005/bin/x', 99);
    const before = tree.snapshot();
    await clean();
    site.now += 99 * DAY_MS;
    const report = await clean();
    expect(report.foreign).to.include.members([
      'lost+found',
      '-rf',
      '1003',
      '1004/my-backup',
      '1005/bin',
      '\\u{fffd}\\u{fffd}',
    ]);
    expect(tree.snapshot()).to.deep.equal(before);
  });

  it('follows no link, wherever it is', async () => {
    site.named.add('1001').add('1002');
    tree.link('1001', tree.outside);
    tree.link('1002/log', `${tree.outside}/log`);
    tree.link('1003/data', tree.outside);
    tree.link('1004', tree.outside);
    tree.link('1005/data/log', `${tree.outside}/log`);
    tree.link('rm_data_1', tree.outside);
    tree.link('1002/rm_data_1', tree.outside);
    tree.link('1002/data/log/postgresql-1.log', `${tree.outside}/postgresql-1.log`);
    tree.file('1005/rm_data_2/x', 99);
    tree.link('1005/rm_data_2/out', tree.outside);
    tree.directory('1005/rm_data_2', 99);
    await clean();
    site.now += 9 * DAY_MS;
    await clean();
    site.now += 9 * DAY_MS;
    await clean();
    expect(existsSync(`${tree.root}/1005`)).to.equal(false);
    expect(tree.paths()).to.include.members(['1001', '1002/log', '1003/data', '1004', 'rm_data_1', '1002/rm_data_1']);
  });

  it('stays where it is when a directory is swapped for a link meanwhile', async () => {
    site.named.add('1001');
    for (const name of ['1', '2', '3']) tree.file(`1001/log/postgresql-${name}.log`, 9);
    const log = `${tree.root}/1001/log`;
    site.options.readDisk = () => {
      renameSync(log, `${log}-away`);
      symlinkSync(`${tree.outside}/log`, log);
      return Promise.resolve({ totalBytes: 100, freeBytes: 50 });
    };
    expect((await apply()).actions).to.deep.equal([]);
  });

  it('deletes nothing when it is not known who names what', async () => {
    site.named.add('1001');
    tree.file('1001/log/postgresql-1.log', 9);
    tree.file('1001/log/postgresql-2.log', 9.5);
    tree.file('1002/data/x', 9);
    tree.file('rm_data_1/x', 99);
    tree.directory('rm_data_1', 99);
    site.options.readLive = () => Promise.reject(new Error('the server is away'));
    const before = tree.snapshot();
    const failed: unknown = await apply().catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(CleanUpFailed).with.property('message', 'the server is away');
    expect(tree.snapshot()).to.deep.equal(before);
  });

  it('names what a cluster has that is created in the same moment', async () => {
    site.options.readLive = () => {
      // The folders were read before: this one is not among them, whatever the answer says.
      tree.file('1009/log/postgresql-1.log', 99);
      tree.file('1009/log/postgresql-2.log', 99);
      return Promise.resolve(new Map());
    };
    expect((await apply()).actions).to.deep.equal([]);
    expect(tree.paths()).to.include('1009/log/postgresql-1.log');
  });

  it('works without seeing open files, and says so', async () => {
    site.named.add('1001');
    tree.file('1001/log/postgresql-1.log', 9);
    tree.file('1001/log/postgresql-2.log', 8);
    site.options.readOpen = () => Promise.reject(new Error('EACCES'));
    const report = await apply();
    expect(rules(report)).to.deep.equal(['LogAge 1001/log/postgresql-1.log']);
    expect(report.problems[0]!.message).to.equal('open files of this host cannot be seen');
  });

  it('begins all waiting anew when its note cannot be read', async () => {
    tree.file('1002/data/x', 9);
    await clean();
    site.now += 9 * DAY_MS;
    for (const content of ['{', '{"1002": 5}', '[]', '{"1002": "soon"}']) {
      writeFileSync(`${tree.root}/.polardb-stack-trash/orphans.json`, content);
      expect((await clean()).actions).to.deep.equal([]);
    }
  });

  it('refuses a root or a trash that is a link', async () => {
    tree.link('.polardb-stack-trash', tree.outside);
    expect(await apply().catch((error: unknown) => (error as Error).message)).to.match(/is not a directory/);
    symlinkSync(tree.outside, `${tree.base}/linked`);
    Object.defineProperty(tree, 'root', { value: `${tree.base}/linked` });
    expect(
      await siteOf(tree)
        .cleaner.plan(unaborted())
        .catch((e: unknown) => (e as Error).message),
    ).to.match(/is not/);
    Object.defineProperty(tree, 'root', { value: `${tree.base}/missing` });
    expect(
      await siteOf(tree)
        .cleaner.plan(unaborted())
        .catch((e: unknown) => e),
    ).to.be.instanceOf(NoLogRoot);
  });

  it('tells in its report no more than fits, and counts the rest', async () => {
    mkdirSync(`${tree.root}/1001/log`, { recursive: true });
    site.named.add('1001');
    for (let n = 0; n < 500; n++) tree.file(`1001/log/postgresql-${n}.log`, 9);
    tree.file('1001/log/postgresql-999.log', 0);
    const report = await apply();
    expect(report.totals.LogAge!.items).to.equal(500);
    expect(report.actions).to.have.length(200);
    expect(report.omitted.actions).to.equal(300);
    expect(report.seen).to.deep.equal({ folders: 1, logs: 501 });
  });
});
