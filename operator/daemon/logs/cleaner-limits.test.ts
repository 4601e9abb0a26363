import { expect } from 'chai';
import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { CleanUpFailed, NoLogRoot } from './cleaner.ts';
import { DAY_MS } from './policy.ts';
import { Cleaning, rules } from './testing/cleaning.ts';
import { siteOf, unaborted, type Tree } from './testing/tree.ts';

describe('what the clean-up of logs never does', () => {
  let on: Cleaning;
  let tree: Tree;
  let site: Cleaning['site'];

  beforeEach(() => {
    on = new Cleaning();
    ({ tree, site } = on);
  });
  afterEach(() => on.end());

  it('leaves alone what is not an instance', async () => {
    for (const name of ['lost+found', 'backup', '-rf', '01001', '1001 ', '\xff\xfe', '...', '1001\n'])
      tree.file(`${name}/log/postgresql-1.log`, 99);
    tree.file('1003', 99);
    tree.file('1004/data/x', 99);
    tree.file('1004/my-backup', 99);
    tree.file('1005/bin/x', 99);
    const before = tree.snapshot();
    await on.clean();
    site.now += 99 * DAY_MS;
    const report = await on.clean();
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
    await on.clean();
    site.now += 9 * DAY_MS;
    await on.clean();
    site.now += 9 * DAY_MS;
    await on.clean();
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
    expect((await on.apply()).actions).to.deep.equal([]);
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
    const failed: unknown = await on.apply().catch((error: unknown) => error);
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
    expect((await on.apply()).actions).to.deep.equal([]);
    expect(tree.paths()).to.include('1009/log/postgresql-1.log');
  });

  it('works without seeing open files, and says so', async () => {
    site.named.add('1001');
    tree.file('1001/log/postgresql-1.log', 9);
    tree.file('1001/log/postgresql-2.log', 8);
    site.options.readOpen = () => Promise.reject(new Error('EACCES'));
    const report = await on.apply();
    expect(rules(report)).to.deep.equal(['LogAge 1001/log/postgresql-1.log']);
    expect(report.problems[0]!.message).to.equal('open files of this host cannot be seen');
  });

  it('begins all waiting anew when its note cannot be read', async () => {
    tree.file('1002/data/x', 9);
    await on.clean();
    site.now += 9 * DAY_MS;
    for (const content of ['{', '{"1002": 5}', '[]', '{"1002": "soon"}']) {
      writeFileSync(`${tree.root}/.polardb-stack-trash/orphans.json`, content);
      expect((await on.clean()).actions).to.deep.equal([]);
    }
  });

  it('refuses a root or a trash that is a link', async () => {
    tree.link('.polardb-stack-trash', tree.outside);
    expect(await on.apply().catch((error: unknown) => (error as Error).message)).to.match(/is not a directory/);
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
    const report = await on.apply();
    expect(report.totals.LogAge!.items).to.equal(500);
    expect(report.actions).to.have.length(200);
    expect(report.omitted.actions).to.equal(300);
    expect(report.seen).to.deep.equal({ folders: 1, logs: 501 });
  });
});
