import { expect } from 'chai';
import type { ProgramRun } from './programs.ts';
import { ProgramError } from './programs.ts';
import { checkWithEngine, compose, differing, objections, parseProblems } from './settings.ts';
import { SettingsError } from './errors.ts';
import { isOwnedSetting } from './owned.ts';
import { scratch } from './testing/scratch.ts';

describe('layers of settings', () => {
  it('let a user change our defaults but not what is fixed, in any spelling', () => {
    const settings = compose({
      defaults: { work_mem: '4MB', timezone: 'UTC' },
      wanted: { Work_Mem: '8MB', PORT: '1', TimeZone: 'CET' },
      fixed: { port: '5432' },
    });
    expect(settings).to.include({ work_mem: '8MB', timezone: 'CET', port: '5432' });
    expect(Object.keys(settings)).to.have.length(4);
  });

  for (const [ours, theirs, both] of [
    ['pg_stat_statements', undefined, 'pg_stat_statements'],
    ['pg_stat_statements', 'auto_explain, pg_stat_statements', 'pg_stat_statements,auto_explain'],
    ['', 'auto_explain', 'auto_explain'],
    ['', undefined, ''],
  ] as const) {
    it(`preload "${both}" of ours "${ours}" and theirs "${theirs ?? ''}"`, () => {
      const wanted: Record<string, string> = theirs === undefined ? {} : { shared_preload_libraries: theirs };
      const settings = compose({ defaults: { shared_preload_libraries: ours }, wanted, fixed: {} });
      expect(settings.shared_preload_libraries).to.equal(both);
    });
  }

  it('differ also by what one of them lacks', () => {
    const before = new Map([
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
    ]);
    expect(differing(before, { a: '1', b: '9', d: '4' })).to.deep.equal(['b', 'c', 'd']);
  });
});

describe('objections before the engine is asked', () => {
  const owned = (name: string) => isOwnedSetting('postgresql', name);

  for (const [name, value, reason] of [
    ['work_mem', '4MB', undefined],
    ['recovery_prefetch', 'off', undefined],
    ['port', '1', 'is managed by the operator'],
    ['Primary_ConnInfo', 'x', 'is managed by the operator'],
    ['synchronous_standby_names', '*', 'is managed by the operator'],
    ['recovery_target_time', 'x', 'is managed by the operator'],
    ['include', '/etc/passwd', 'is not the name of a setting'],
    ['a b', '1', 'is not the name of a setting'],
    ['work_mem', '4\0', 'the value contains a NUL character'],
  ] as const) {
    it(`${name} = ${JSON.stringify(value)}: ${reason ?? 'none'}`, () => {
      expect(objections({ [name]: value }, owned)[0]?.reason).to.equal(reason);
    });
  }
});

describe("the engine's judgement", () => {
  const { path } = scratch();
  const said = (text: string) => new ProgramError('/x/postgres', 'failed', { exitCode: 1, stderr: text });
  const check = (answers: (string | undefined)[], runs: ProgramRun[] = []) => ({
    postgres: '/x/postgres',
    directory: path('.'),
    run: (run: ProgramRun) => {
      runs.push(run);
      const answer = answers.shift();
      return answer === undefined ? Promise.resolve({ stdout: '', stderr: '' }) : Promise.reject(said(answer));
    },
  });

  it('names each problem once, with the hint', () => {
    const stderr = [
      '2026-11-21 11:21:20.728 GMT [1] LOG:  skipping missing configuration file "/x/postgresql.auto.conf"',
      '2026-11-21 11:21:20.728 GMT [1] LOG:  invalid value for parameter "wal_level": "high"',
      '2026-11-21 11:21:20.728 GMT [1] HINT:  Available values: minimal, replica, logical.',
      '2026-11-21 11:21:20.728 GMT [1] LOG:  unrecognized configuration parameter "Foo" in file "/x/c.conf" line 1',
      '2026-11-21 11:21:20.728 GMT [1] FATAL:  configuration file "/x/c.conf" contains errors',
    ].join('\n');
    expect(parseProblems(stderr)).to.deep.equal([
      {
        name: 'wal_level',
        reason: 'invalid value for parameter "wal_level": "high" (Available values: minimal, replica, logical.)',
      },
      { name: 'foo', reason: 'is unknown to this engine' },
    ]);
  });

  it('is asked again without unknown names, which hide wrong values', async () => {
    const answers = [
      'LOG:  unrecognized configuration parameter "foo" in file',
      'LOG:  invalid value for parameter "b": "x"',
    ];
    const error = await checkWithEngine(check(answers), { foo: '1', b: 'x' }).catch((thrown: unknown) => thrown);
    expect((error as SettingsError).problems.map(({ name }) => name)).to.deep.equal(['foo', 'b']);
  });

  it('is asked once when nothing is wrong', async () => {
    const runs: ProgramRun[] = [];
    await checkWithEngine(check([undefined], runs), { b: '1' });
    expect(runs).to.have.length(1);
  });

  it('that cannot be had is no judgement', async () => {
    const error = await checkWithEngine(check(['FATAL:  out of memory']), {}).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(ProgramError);
  });
});
