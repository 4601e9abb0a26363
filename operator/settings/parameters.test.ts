import { expect } from 'chai';
import fc from 'fast-check';
import { UserError } from '../model/errors.ts';
import { findClass } from './classes.ts';
import { evaluateFormula } from './formula.ts';
import { readParameterMap, writeParameterMap } from './parameter-map.ts';
import { checkUserParameters, effectiveParameters, needRestart } from './parameters.ts';
import { readSiteSettings } from './site.ts';
import { toBaseUnit } from './units.ts';
import { findVersion } from './versions.ts';

const ITEMS = `
- {name: work_mem, default_value: '4096', optional: '[64-524288]', unit: B, base_unit: kB, is_user_changable: 1, is_dynamic: 1}
- {name: shared_buffers, default_value: '{memory / 4}', optional: '[16-1073741823]', unit: B, base_unit: 8kB, is_user_changable: 1}
- {name: max_connections, default_value: '{greatest(100, least(3300, memory / 4))}', optional: '[25-262143]', unit: INT, is_user_changable: 1}
- {name: superuser_reserved_connections, default_value: 10, unit: INT}
- {name: checkpoint_completion_target, optional: '[0-1]', unit: DOUBLE, is_user_changable: 1, is_dynamic: 1}
- {name: statement_timeout, optional: '[0-2147483647]', unit: INT, base_unit: ms, is_user_changable: 1, is_dynamic: 1}
- {name: TimeZone, default_value: "'PRC'", is_user_changable: 1, is_dynamic: 1, optional: "^'[A-Za-z/_]+'$"}
- {name: jit, default_value: 'off', optional: '[on|off]', is_user_changable: 1, is_dynamic: 1}
- {name: max_wal_size, default_value: '{least(6144, greatest(256, storage / 5))}', unit: B, base_unit: MB}
- {name: search_path, is_user_changable: 1, is_dynamic: 1}
`;
const site = readSiteSettings([
  {
    metadata: { name: 't', labels: { configtype: 'mycnf_template' } },
    data: { mycnf_template: ITEMS, engine: 'postgresql' },
  },
  { metadata: { name: 'p', labels: { configtype: 'mycnf_template' } }, data: { mycnf_template: ITEMS } },
]);
const template = site.templates.postgresql!;
const small = {
  name: 'small',
  cpu: { requestMillis: 1000, limitMillis: 1000 },
  memory: { requestMi: 1024, limitMi: 1024 },
  hugepagesMi: 0,
  parameters: {},
};

/** The message of the UserError that `run` ends in. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('effective parameters', () => {
  it('are the defaults, for the size of the class', () =>
    expect(effectiveParameters({ template, class: small, storageMi: 10240 })).to.deep.equal({
      TimeZone: 'PRC',
      huge_pages: 'off',
      jit: 'off',
      max_connections: '256',
      max_wal_size: '2048MB',
      shared_buffers: '256MB',
      superuser_reserved_connections: '10',
      work_mem: '4096',
    }));

  it('are overridden by the class, and that by the user', () => {
    const sized = { ...small, parameters: { work_mem: '8MB', jit: 'on', geqo: 'off' } };
    const values = effectiveParameters({ template, class: sized, user: { Work_Mem: '16MB' } });
    expect(values).to.include({ work_mem: '16MB', jit: 'on', geqo: 'off', max_wal_size: '6144MB' });
    expect(values).not.to.have.property('Work_Mem');
  });

  it('keep what only PolarDB knows from stock PostgreSQL', () => {
    const sized = { ...small, parameters: { polar_copy_buffers: '8MB' } };
    expect(effectiveParameters({ template, class: sized })).not.to.have.property('polar_copy_buffers');
    expect(effectiveParameters({ template: site.templates.polardb!, class: sized })).to.include({
      polar_copy_buffers: '8MB',
    });
  });

  it('use huge pages as the class does, and count them as memory', () =>
    expect(effectiveParameters({ template, class: { ...small, hugepagesMi: 1024 } })).to.include({
      huge_pages: 'on',
      shared_buffers: '512MB',
    }));

  for (const [what, user, message] of [
    ['too small', { work_mem: '1' }, 'parameter work_mem: "1" is out of range; write a number from 64 to 524288'],
    ['too large with a unit', { work_mem: '1GB' }, 'parameter work_mem: "1GB" is out of range'],
    ['a unit of another kind', { work_mem: '10s' }, 'parameter work_mem: "10s" is not a number'],
    ['a unit where none is', { max_connections: '1kB' }, 'parameter max_connections: "1kB" is not a number'],
    ['a fraction of a count', { max_connections: '99.5' }, 'parameter max_connections: "99.5" is not a whole number'],
    ['another word', { jit: 'perhaps' }, 'parameter jit: "perhaps" is not allowed; write one of on, off'],
    ['no match', { timezone: 'a b' }, 'parameter TimeZone: "a b" is not allowed'],
    ['a second line', { search_path: "a'\nssl = off" }, 'parameter search_path: has a control character'],
    ['unknown', { port: '1' }, 'parameter port: postgresql has no such parameter'],
    ['locked', { max_wal_size: '1GB' }, 'parameter max_wal_size: is locked by the template'],
    ['more connections reserved than there are', { max_connections: '25' }, 'accepted'],
    [
      'buffers above the memory',
      { shared_buffers: '900MB' },
      'parameter shared_buffers: is 900 MB; class small has 1024 MB',
    ],
    ['huge pages', { huge_pages: 'on' }, 'parameter huge_pages: postgresql has no such parameter'],
  ] as const) {
    it(`judge a user's value: ${what}`, () =>
      expect(refusal(() => effectiveParameters({ template, class: small, user }))).to.contain(message));
  }

  it('refuse reserved connections that leave none, whoever set them', () => {
    const sized = { ...small, parameters: { max_connections: '10' } };
    expect(refusal(() => effectiveParameters({ template, class: sized }))).to.contain(
      'parameter max_connections: must',
    );
  });

  for (const [given, value] of [
    ['ON', 'on'],
    ['true', 'on'],
    ['0', 'off'],
    ["'off'", 'off'],
  ] as const) {
    it(`take ${given} as ${value}`, () =>
      expect(checkUserParameters({ template, user: { jit: given } })).to.deep.equal({ jit: value }));
  }

  it('let a site open what the template locks', () =>
    expect(checkUserParameters({ template, user: { max_wal_size: '1GB' }, allowLocked: true })).to.deep.equal({
      max_wal_size: '1GB',
    }));

  it('know what waits for a restart', () =>
    expect(needRestart(template, ['work_mem', 'timezone', 'shared_buffers', 'never_heard_of'])).to.deep.equal([
      'shared_buffers',
      'never_heard_of',
    ]));
});

describe('units', () => {
  for (const [text, base, value] of [
    ['64MB', 'kB', 65536],
    ['1.5GB', 'MB', 1536],
    ['128MB', '8kB', 16384],
    ['2min', 'ms', 120000],
    ['1d', 's', 86400],
    ['-1', 'kB', -1],
    ['100', 'kB', 100],
    ['1MB', 's', undefined],
    ['1mb', 'kB', undefined],
    ['', 'kB', undefined],
  ] as const) {
    it(`"${text}" in ${base}`, () => expect(toBaseUnit(text, base)).to.equal(value));
  }
});

describe('formulas', () => {
  const scope = { memory: 1024, cpu: 2, storage: Infinity };
  for (const [text, value] of [
    ['{memory / 4}', 256],
    ['{1 + 2 * 3}', 7],
    ['{(1 + 2) * 3 - 4}', 5],
    ['{least(6144, storage / 5)}', 6144],
    ['{greatest(100, least(3300, memory * cpu), 5)}', 2048],
  ] as const) {
    it(text, () => expect(evaluateFormula(text, scope)).to.equal(value));
  }

  for (const text of [
    '{}',
    '{memory',
    '{memory /}',
    '{disk}',
    '{storage}',
    '{1 - 2}',
    '{1 / 0}',
    '{least()}',
    '{1 2}',
    '{(1}',
  ])
    it(`refuses ${text}`, () => expect(() => evaluateFormula(text, scope)).to.throw(/formula/));

  it('refuses any depth that could exhaust the stack', () =>
    expect(() => evaluateFormula(`{${'('.repeat(5000)}1${')'.repeat(5000)}}`, scope)).to.throw('is not a formula'));

  it('agrees with arithmetic', () =>
    fc.assert(
      fc.property(fc.nat(9999), fc.nat(9999), fc.nat(9999), (a, b, c) => {
        expect(evaluateFormula(`{${a}+${b}*${c}}`, scope)).to.equal(a + b * c);
        expect(evaluateFormula(`{least(${a},${b}) + greatest(${b},${c})}`, scope)).to.equal(
          Math.min(a, b) + Math.max(b, c),
        );
      }),
    ));
});

describe('parameter maps', () => {
  it('come back as they were written', () => {
    const text = fc.string();
    const entry = fc.record({
      name: fc.stringMatching(/^[a-z][a-z_.]{0,20}$/),
      value: text,
      updateTime: text,
      inoperativeValue: text,
    });
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ({ name }) => name }), entries => {
        const read = readParameterMap('m', writeParameterMap(entries));
        expect(read.problems).to.deep.equal([]);
        expect(read.entries).to.have.deep.members(entries);
      }),
    );
  });

  it('may be written by hand', () => {
    const { entries, problems } = readParameterMap('m', { work_mem: '8MB', jit: '{"value": 1}', geqo: '{broken' });
    expect(entries.map(({ name, value }) => [name, value])).to.deep.equal([
      ['work_mem', '8MB'],
      ['jit', '1'],
    ]);
    expect(problems.map(({ key }) => key)).to.deep.equal(['geqo']);
  });
});

describe('classes and versions by name', () => {
  const versions = readSiteSettings(
    ['a', 'b'].map(name => ({
      metadata: { name: `x-minor-version-info-rwo-${name}`, labels: { configtype: 'minor_version_info' } },
      data: { pgEngineImage: 'x:1', engine: name === 'a' ? 'polardb' : 'postgresql' },
    })),
  );

  it('tell what exists when the name does not', () => {
    expect(refusal(() => findClass(new Map(), 'x4.small'))).to.contain('spec.classInfo.className: no class "x4.small"');
    expect(refusal(() => findVersion(versions, 'polardb', 'c'))).to.contain('no version "c" of polardb; known: a');
    expect(refusal(() => findVersion(versions, 'polardb', 'b'))).to.contain('version "b" is postgresql');
    expect(refusal(() => findVersion(versions, 'polardb', ''))).to.contain('must be given');
  });

  it('use the default of the site when none is named', () =>
    expect(findVersion({ ...versions, defaultVersions: { polardb: 'a' } }, 'polardb', '').name).to.equal('a'));
});
