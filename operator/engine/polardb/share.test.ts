import { expect } from 'chai';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConf } from '../conf.ts';
import type { EngineOptions } from '../options.ts';
import type { ImageFacts, Upstream } from '../profile.ts';
import { FakeEngine, lose } from '../testing/fake-engine.ts';
import { scratch } from '../testing/scratch.ts';
import { PolarShare } from './share.ts';

const image: ImageFacts = {
  engine: 'polardb',
  version: '15.8.2.0',
  major: 15,
  binDir: '/polar/bin',
  preload: ['polar_vfs'],
};
const upstream: Upstream = {
  host: 'a.test',
  address: '10.0.0.1',
  port: 5432,
  slot: 'slot_b',
  applicationName: 'b/1/2',
  passFile: '/p',
};
const ignore = () => undefined;

describe('PolarDB with one volume for all (recorded programs)', () => {
  const { path } = scratch();
  let fake: FakeEngine;
  let a: PolarShare;
  let b: PolarShare;

  async function member(name: string, hostId: number): Promise<PolarShare> {
    for (const part of [name, `${name}/data`, `${name}/run`]) await mkdir(path(part));
    for (const part of ['cert', 'key', 'ca']) await writeFile(path(`${name}/${part}`), part);
    const options: EngineOptions & { sharedDir: string } = {
      dataDir: path(`${name}/data`),
      sharedDir: path('shared'),
      runDir: path(`${name}/run`),
      tls: { cert: path(`${name}/cert`), key: path(`${name}/key`), ca: path(`${name}/ca`) },
      port: 5432,
      hostId,
    };
    return new PolarShare(options, image, fake.tools);
  }
  const files = async (name: string) =>
    (await readdir(path(`${name}/data/pgdata`))).filter(file => file.endsWith('.signal'));
  const conf = async (name: string) => parseConf(await readFile(path(`${name}/data/pgdata/postgresql.conf`), 'utf8'));

  beforeEach(async () => {
    fake = new FakeEngine();
    await mkdir(path('shared'));
    a = await member('a', 1);
    b = await member('b', 2);
  });

  it('initializes an ordinary directory, then moves it to the volume', async () => {
    expect(await a.look()).to.deep.equal({ state: 'blank' });
    await a.initialize({ settings: {} }, ignore);
    const own = path('a/data/pgdata');
    expect(fake.callsOf('initdb')[0]).to.include.members([`--pgdata=${own}`, '--wal-segsize=16', '--data-checksums']);
    expect(fake.callsOf('polar-initdb.sh')).to.deep.equal([
      [`${own}/`, `${path('shared/pgdata')}/`, 'primary', 'localfs'],
    ]);
    expect((await b.look()).state).to.equal('initialized');
    expect(fake.callsOf('initdb')[1]).to.deep.equal(['--sync-only', `--pgdata=${path('shared/pgdata')}`]);
    expect(await files('a')).to.deep.equal(['replica.signal']);
    expect(await readdir(path('a/data/pgdata'))).to.not.include('postgresql.conf');
  });

  for (const command of ['initdb', 'postgres --single', 'polar-initdb.sh']) {
    it(`initializes again after a crash in ${command}`, async () => {
      fake.fail = command;
      expect(await a.initialize({ settings: {} }, ignore).catch((error: unknown) => error)).to.match(/SIGKILL/);
      expect(await b.look()).to.deep.equal({ state: 'partial' });
      await a.initialize({ settings: {} }, ignore);
      expect((await b.look()).state).to.equal('initialized');
    });
  }

  it('starts the RW that initialized it as RW', async () => {
    await a.initialize({ settings: {} }, ignore);
    const launch = await a.launch({ role: 'rw', settings: {} });
    expect(launch).to.deep.include({
      command: '/polar/bin/postgres',
      stopSignals: { fast: 'SIGINT', immediate: 'SIGQUIT' },
    });
    expect(await files('a')).to.deep.equal([]);
    expect(Object.fromEntries(await conf('a'))).to.include({
      polar_enable_shared_storage_mode: 'on',
      'polar_vfs.localfs_mode': 'on',
      polar_datadir: `file-dio://${path('shared/pgdata')}`,
      polar_hostid: '1',
      log_destination: 'stderr',
      full_page_writes: 'on',
      polar_logindex_mem_size: '64MB',
      primary_slot_name: '',
    });
    expect(await a.look()).to.deep.equal({ state: 'initialized', systemId: '7439999999999999999', timeline: 1 });
  });

  it('joins by a skeleton and starts as a replica that knows its RW', async () => {
    await a.initialize({ settings: {} }, ignore);
    await b.join(upstream, ignore);
    await b.launch({ role: 'ro', upstream, settings: { work_mem: '5MB' } });
    expect(fake.callsOf('polar-initdb.sh').at(-1)).to.deep.equal([
      `${path('b/data/pgdata')}/`,
      `${path('shared/pgdata')}/`,
      'replica',
      'localfs',
    ]);
    expect(await files('b')).to.deep.equal(['replica.signal']);
    const settings = await conf('b');
    expect(settings.get('primary_conninfo')).to.include("tcp_user_timeout='2000'").and.include("sslmode='verify-full'");
    expect(Object.fromEntries(settings)).to.include({
      primary_slot_name: 'slot_b',
      polar_hostid: '2',
      work_mem: '5MB',
    });
  });

  it('does not join a blank volume', async () => {
    expect(await b.join(upstream, ignore).catch((error: unknown) => error)).to.include({ code: 'NotInitialized' });
  });

  it('boots an RW that lost its own directory as a replica, until it was promoted', async () => {
    await a.initialize({ settings: {} }, ignore);
    await lose(path('a/data'));
    await a.launch({ role: 'rw', settings: {} });
    expect(await files('a')).to.deep.equal(['replica.signal']);
    // The engine removes the file when it is promoted.
    fake.answers = [{ match: 'pg_is_in_recovery', rows: () => [{ recovery: false }] }];
    await a.promote(1, AbortSignal.timeout(1000));
    await a.launch({ role: 'rw', settings: {} });
    expect(await files('a')).to.deep.equal([]);
  });

  it('makes a skeleton again that was interrupted', async () => {
    await a.initialize({ settings: {} }, ignore);
    fake.fail = 'polar-initdb.sh';
    expect(await b.join(upstream, ignore).catch((error: unknown) => error)).to.match(/SIGKILL/);
    await b.launch({ role: 'ro', upstream, settings: {} });
    expect(fake.callsOf('polar-initdb.sh')).to.have.length(3);
  });

  it("promotes by file and signal, after members' slots are gone from the volume", async () => {
    await a.initialize({ settings: {} }, ignore);
    const slots = path('shared/pgdata/pg_replslot');
    for (const slot of ['polardb_stack_a', 'polardb_stack_b', 'backup_tool'])
      await mkdir(join(slots, slot), { recursive: true });
    await b.launch({ role: 'ro', upstream, settings: {} });
    await writeFile(path('b/data/pgdata/postmaster.pid'), '4711\n');
    fake.tools.processesIn = () => Promise.resolve([4711, 4712]);
    let answers = 0;
    fake.answers = [{ match: 'pg_is_in_recovery', rows: () => [{ recovery: answers++ < 3 }] }];
    await b.promote(2, AbortSignal.timeout(1000));
    expect(fake.signals).to.deep.equal([{ pid: 4711, signal: 'SIGUSR1' }]);
    expect(await readdir(path('b/data/pgdata'))).to.include('promote');
    expect(await readdir(slots)).to.deep.equal(['backup_tool']);
  });

  it('demotes on its own directory, never on the volume', async () => {
    await a.initialize({ settings: {} }, ignore);
    await a.launch({ role: 'rw', settings: {} });
    const volume = await readdir(path('shared/pgdata'));
    await a.demote();
    expect(await files('a')).to.deep.equal(['replica.signal']);
    expect(await readdir(path('shared/pgdata'))).to.deep.equal(volume);
  });

  it("refuses settings that would lead to another member's storage", async () => {
    await a.initialize({ settings: {} }, ignore);
    for (const name of ['polar_datadir', 'polar_hostid', 'full_page_writes', 'polar_vfs.localfs_mode']) {
      const error = await a.launch({ role: 'rw', settings: { [name]: 'x' } }).catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: 'BadSettings' });
    }
  });
});
