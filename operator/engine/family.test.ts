import { expect } from 'chai';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseConf } from './conf.ts';
import type { EngineTools } from './options.ts';
import { PolarLocal } from './polardb/local.ts';
import type { ImageFacts, QuorumSetting } from './profile.ts';
import { FakeEngine } from './testing/fake-engine.ts';
import { scratch } from './testing/scratch.ts';

const image: ImageFacts = { engine: 'polardb', version: '15.8.2.0', major: 15, binDir: '/polar/bin', preload: [] };
const SETTING: QuorumSetting = { members: ['b/1/2'], k: 1 };

describe('configuration of a running engine (recorded programs)', () => {
  const { path } = scratch();
  let fake: FakeEngine;
  let member: PolarLocal;
  /** Called when the engine is to judge settings. */
  let onJudge: () => Promise<unknown>;
  let loads = 0;
  let refuses: string | undefined;

  beforeEach(async () => {
    fake = new FakeEngine();
    onJudge = () => Promise.resolve();
    refuses = undefined;
    const rows = (): { at: string }[] => {
      if (refuses !== undefined) throw Object.assign(new Error(refuses), { code: 'XX000' });
      return [{ at: String(++loads) }];
    };
    fake.answers = [{ match: 'pg_conf_load_time', rows }];
    const run: EngineTools['run'] = async it => {
      if (basename(it.program) === 'postgres') await onJudge();
      return fake.tools.run(it);
    };
    for (const part of ['data', 'run']) await mkdir(path(part));
    for (const part of ['cert', 'key', 'ca']) await writeFile(path(part), part);
    const tls = { cert: path('cert'), key: path('key'), ca: path('ca') };
    const options = { dataDir: path('data'), runDir: path('run'), tls, port: 5432 };
    member = new PolarLocal(options, image, { ...fake.tools, run });
    await member.initialize({ settings: {} }, () => undefined);
    await member.launch({ role: 'ro', settings: {} });
  });

  const conf = async (): Promise<Map<string, string>> =>
    new Map(parseConf(await readFile(path('data/pgdata/postgresql.conf'), 'utf8')));
  const inForce = async (): Promise<(string | undefined)[]> => {
    const found = await conf();
    return [found.get('work_mem'), found.get('synchronous_standby_names')];
  };
  const names = 'ANY 1 ("b/1/2")';

  it('keeps whom commits wait for when that changed while the engine judged a setting', async () => {
    onJudge = () => member.setQuorum({ setting: SETTING });
    await member.configure({ work_mem: '8MB' });
    expect(await inForce()).to.deep.equal(['8MB', names]);
  });

  it('keeps both of two changes that come at once', async () => {
    const upstream = {
      host: 'a.test',
      address: '10.0.0.1',
      port: 5432,
      slot: 's',
      applicationName: 'b',
      passFile: '/p',
    };
    await Promise.all([member.setQuorum({ setting: SETTING }), member.follow(upstream)]);
    expect((await conf()).get('primary_conninfo')).to.contain('10.0.0.1');
    expect(await inForce()).to.deep.equal([undefined, names]);
    await member.configure({ work_mem: '8MB' });
    expect(await inForce()).to.deep.equal(['8MB', names]);
  });

  it('is read again when the engine could not read it the first time', async () => {
    refuses = 'out of order';
    expect(await member.configure({ work_mem: '8MB' }).catch(String)).to.contain('out of order');
    refuses = undefined;
    const before = loads;
    await member.configure({ work_mem: '8MB' });
    expect(loads).to.be.above(before);
  });
});
