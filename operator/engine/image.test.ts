import { expect } from 'chai';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inspectImage, parseVersion } from './image.ts';
import { openEngine } from './select.ts';
import { realTools } from './options.ts';
import { scratch } from './testing/scratch.ts';

const STOCK = ['postgres', 'initdb', 'pg_basebackup', 'pg_controldata'];

describe('what an image holds', () => {
  const { path } = scratch();
  const version = (text: string) => () => Promise.resolve({ stdout: text, stderr: '' });
  const v15 = version('postgres (PostgreSQL) 15.8\n');

  async function put(directory: string, names: readonly string[], content = ''): Promise<void> {
    for (const name of names) {
      const file = path(join(directory, name));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
      await chmod(file, 0o755);
    }
  }
  const inspect = (run = v15) => inspectImage({ run, root: path('.') });
  const refusal = (work: Promise<unknown>) => work.catch((error: unknown) => error);

  it('PostgreSQL: the newest one, with what can be preloaded', async () => {
    await put('usr/lib/postgresql/9/bin', STOCK);
    await put('usr/lib/postgresql/15/bin', STOCK);
    await put('usr/lib/postgresql/15/lib', ['pg_stat_statements.so']);
    expect(await inspect()).to.deep.equal({
      engine: 'postgresql',
      version: '15.8',
      major: 15,
      binDir: path('usr/lib/postgresql/15/bin'),
      preload: ['pg_stat_statements'],
    });
  });

  it('PolarDB: told by its own program, with the version of image.json', async () => {
    await put('opt/polar/bin', [...STOCK, 'polar-initdb.sh']);
    const described = { engine: 'polardb', version: '15.8.2.0', paths: { bin: path('opt/polar/bin') } };
    await put('etc/polardb-stack', ['image.json'], JSON.stringify(described));
    expect(await inspect()).to.include({ engine: 'polardb', version: '15.8.2.0', major: 15 });
  });

  it('nothing: says where was looked', async () => {
    const error = await refusal(inspect());
    expect(error)
      .to.include({ code: 'EngineMissing' })
      .and.match(/u01\/polardb_pg\/bin/);
  });

  it('half an engine: names the missing programs', async () => {
    await put('usr/bin', ['postgres', 'pg_controldata']);
    expect(await refusal(inspect()))
      .to.include({ code: 'EngineMissing' })
      .and.match(/lacks initdb, pg_basebackup in/);
  });

  it('PolarDB libraries without its programs', async () => {
    await put('u01/polardb_pg/bin', STOCK);
    await put('u01/polardb_pg/lib/postgresql', ['polar_vfs.so']);
    expect(await refusal(inspect())).to.match(/lacks polar-initdb.sh/);
  });

  it('an engine that is too old', async () => {
    await put('usr/bin', STOCK);
    expect(await refusal(inspect(version('postgres (PostgreSQL) 14.1\n')))).to.include({ code: 'VersionTooOld' });
  });

  it('another engine than image.json says', async () => {
    await put('usr/bin', STOCK);
    await put('etc/polardb-stack', ['image.json'], '{"engine":"polardb"}');
    expect(await refusal(inspect())).to.include({ code: 'WrongEngine' });
  });

  it('an image.json that cannot be read', async () => {
    await put('etc/polardb-stack', ['image.json'], '{"engine":"oracle"}');
    expect(await refusal(inspect())).to.match(/image.json of the image cannot be read/);
  });

  for (const [answer, expected] of [
    ['postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', '15.18'],
    ['postgres (PostgreSQL) 17beta1', '17'],
    ['postgres (PostgreSQL) 15.8', '15.8'],
  ] as const) {
    it(`"${answer}" is ${expected}`, () => expect(parseVersion(answer)).to.equal(expected));
  }

  describe('decides which profile fits', () => {
    const options = () => ({
      binDir: path('bin'),
      dataDir: path('data'),
      sharedDir: path('shared'),
      runDir: path('run'),
      tls: { cert: '', key: '', ca: '' },
      port: 5432,
    });
    const tools = { ...realTools, run: v15 };

    for (const [dbType, topology, programs, name] of [
      ['postgresql', 'local', STOCK, 'PostgresLocal'],
      ['postgresql', 'share', STOCK, 'PostgresShare'],
      ['polardb', 'local', [...STOCK, 'polar-initdb.sh'], 'PolarLocal'],
      ['polardb', 'share', [...STOCK, 'polar-initdb.sh'], 'PolarShare'],
    ] as const) {
      it(`${dbType}, ${topology}`, async () => {
        await put('bin', programs);
        await mkdir(path('shared'));
        const profile = await openEngine({ dbType, topology }, options(), tools);
        expect(profile.constructor.name).to.equal(name);
        expect(profile).to.include({ engine: dbType, topology });
      });
    }

    it('the image holds another engine', async () => {
      await put('bin', STOCK);
      const error = await refusal(openEngine({ dbType: 'polardb', topology: 'share' }, options(), tools));
      expect(error)
        .to.include({ code: 'WrongEngine' })
        .and.match(/polardb is asked for, the image holds postgresql 15.8/);
    });

    it('the shared volume is a device', async () => {
      await put('bin', STOCK);
      await put('.', ['shared']);
      const error = await refusal(openEngine({ dbType: 'postgresql', topology: 'share' }, options(), tools));
      expect(error)
        .to.include({ code: 'EngineMissing' })
        .and.match(/PFS on a block device is not supported/);
    });

    it('the socket path is too long', async () => {
      await put('bin', STOCK);
      const long = { ...options(), runDir: path('x'.repeat(100)) };
      expect(await refusal(openEngine({ dbType: 'postgresql', topology: 'local' }, long, tools))).to.include({
        code: 'BadArgument',
      });
    });
  });
});
