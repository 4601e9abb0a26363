import { expect } from 'chai';
import fc from 'fast-check';
import {
  formatConf,
  formatConninfo,
  formatPassFile,
  isSettingName,
  parseConf,
  parseConninfo,
  quoteHba,
  withoutSettings,
} from './conf.ts';

const text = fc.string({ unit: 'binary' }).filter(value => !value.includes('\0'));
const awkward = fc
  .array(fc.constantFrom("'", '\\', '\n', '\r', '\t', '\b', '\f', '"', '#', '=', ' ', 'n', '0', '7', ':', 'é'))
  .map(parts => parts.join(''));
const value = fc.oneof(text, awkward);
const name = fc.stringMatching(/^[a-z_][a-z0-9_$]{0,20}(\.[a-z_][a-z0-9_]{0,10})?$/).filter(isSettingName);

describe('postgresql.conf', () => {
  it('gives every value back as it was, one line each', () => {
    fc.assert(
      fc.property(fc.dictionary(name, value), settings => {
        const written = formatConf(settings);
        expect(Object.fromEntries(parseConf(written))).to.deep.equal({ ...settings });
        expect(written.split('\n')).to.have.length(Object.keys(settings).length + 1);
      }),
    );
  });

  for (const [line, expected] of [
    ['port = 5432', ['port', '5432']],
    ['port 5432 # the usual', ['port', '5432']],
    ["a.b='it''s \\'x\\' \\101'  # note", ['a.b', "it's 'x' A"]],
    ["  DateStyle = 'ISO, MDY'", ['DateStyle', 'ISO, MDY']],
  ] as const) {
    it(`reads ${line}`, () => expect([...parseConf(line)]).to.deep.equal([expected]));
  }

  for (const wrong of ['', 'a b', 'a;b', '1a', 'a.b.c', 'include', 'Include_Dir', 'a\nb', 'a=1']) {
    it(`takes no setting named ${JSON.stringify(wrong)}`, () => {
      expect(() => formatConf({ [wrong]: '1' })).to.throw('cannot be written');
    });
  }

  it('has no words for a NUL character', () => expect(() => formatConf({ a: 'x\0y' })).to.throw('cannot be written'));

  it('loses only what is dropped', () => {
    const before = "# Do not edit\nprimary_conninfo = 'host=x'\nwork_mem = '7MB'\nPORT=1\n";
    const after = withoutSettings(before, found => ['primary_conninfo', 'port'].includes(found));
    expect(after).to.equal("# Do not edit\nwork_mem = '7MB'\n");
  });
});

describe('connection strings', () => {
  it('give every value back as it was', () => {
    const keyword = fc.stringMatching(/^[a-z_]{1,12}$/);
    fc.assert(
      fc.property(fc.dictionary(keyword, value), parameters => {
        expect(Object.fromEntries(parseConninfo(formatConninfo(parameters)))).to.deep.equal({ ...parameters });
      }),
    );
  });

  it('are read as the engine shows them, without quotes', () => {
    const shown = 'user=replicator hostaddr=10.0.0.1 port=5432 sslmode=verify-full';
    expect(parseConninfo(shown).get('hostaddr')).to.equal('10.0.0.1');
  });

  it('take no other keywords', () => expect(() => formatConninfo({ 'a b': 1 })).to.throw('"a b"'));
});

describe('passfile', () => {
  /** As libpq reads it: a backslash takes the next character as it is, a colon separates. */
  const read = (line: string) => [...line.slice(0, -1).matchAll(/((?:[^:\\]|\\[^])*)(?::|$)/g)].map(match => match[1]!);

  it('gives user and password back as they were', () => {
    const part = value.filter(found => !/[\n\r]/.test(found));
    fc.assert(
      fc.property(part, part, (user, password) => {
        const fields = read(formatPassFile(user, password)).map(field => field.replace(/\\([^])/g, '$1'));
        expect(fields.slice(0, 5)).to.deep.equal(['*', '*', '*', user, password]);
      }),
    );
  });

  it('cannot hold line breaks', () => expect(() => formatPassFile('a', 'b\nc')).to.throw('line breaks'));
});

describe('names in pg_hba.conf', () => {
  it('are never keywords', () => {
    expect(quoteHba('all')).to.equal('"all"');
    expect(quoteHba('a"b')).to.equal('"a""b"');
    expect(() => quoteHba('a\nhost all all all trust')).to.throw('line breaks');
  });
});
