import { expect } from 'chai';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { parseConf } from '../conf.ts';
import type { ImageFacts, Upstream } from '../profile.ts';
import { FakeEngine } from '../testing/fake-engine.ts';
import { scratch } from '../testing/scratch.ts';
import { PolarLocal } from './local.ts';

const image: ImageFacts = { engine: 'polardb', version: '15.8.2.0', major: 15, binDir: '/polar/bin', preload: [] };
const upstream: Upstream = {
  host: 'a.test',
  address: '10.0.0.1',
  port: 5432,
  slot: 'slot_b',
  applicationName: 'b/1/2',
  passFile: '/p',
};
const ignore = () => undefined;

describe('PolarDB with a volume each (recorded programs)', () => {
  const { path } = scratch();
  let fake: FakeEngine;
  let member: PolarLocal;

  beforeEach(async () => {
    fake = new FakeEngine();
    for (const part of ['data', 'run']) await mkdir(path(part));
    for (const part of ['cert', 'key', 'ca']) await writeFile(path(part), part);
    const tls = { cert: path('cert'), key: path('key'), ca: path('ca') };
    member = new PolarLocal({ dataDir: path('data'), runDir: path('run'), tls, port: 5432 }, image, fake.tools);
  });

  it('keeps both directories on its own volume', async () => {
    await member.initialize({ settings: {} }, ignore);
    await member.launch({ role: 'rw', settings: {} });
    const conf = parseConf(await readFile(path('data/pgdata/postgresql.conf'), 'utf8'));
    expect(conf.get('polar_datadir')).to.equal(`file-dio://${path('data/polardata')}`);
    expect(await readdir(path('data/pgdata'))).to.not.include('standby.signal');
  });

  it('keeps its data as long as the RW whose it shall be is not reached', async () => {
    await member.initialize({ settings: {} }, ignore);
    const rejoin = () => member.rejoin({ upstream, mayRewind: true, signal: new AbortController().signal }, ignore);
    fake.fail = 'pg_isready';
    expect(await rejoin().catch((error: unknown) => error)).to.match(/pg_isready/);
    expect(await member.look()).to.include({ state: 'initialized' });
    expect(await rejoin()).to.deep.equal({ how: 'copied' });
    expect(fake.callsOf('pg_isready').at(-1)?.[0]).to.include("hostaddr='10.0.0.1'");
  });

  it('joins by a base backup into both, again when it was interrupted, and boots as a standby', async () => {
    fake.fail = 'pg_basebackup';
    expect(await member.join(upstream, ignore).catch((error: unknown) => error)).to.match(/SIGKILL/);
    expect(await member.look()).to.deep.equal({ state: 'partial' });
    const progress: unknown[] = [];
    await member.join(upstream, step => progress.push(step));
    expect(progress).to.deep.equal([{ phase: 'Connecting' }, { phase: 'Copying', done: 524_288, total: 1_048_576 }]);
    expect(fake.callsOf('pg_basebackup').at(-1)).to.include.members([
      `--pgdata=${path('data/pgdata')}`,
      `--polardata=${path('data/polardata')}`,
      '--slot=slot_b',
      '--checkpoint=fast',
    ]);
    await member.launch({ role: 'standby', upstream, settings: {} });
    expect(await readdir(path('data/pgdata')))
      .to.include('standby.signal')
      .and.not.include('replica.signal');
  });
});
