import { expect } from 'chai';
import { isSameSans, parsePrintedSans, parseSans } from './sans.ts';

describe('names of a certificate', () => {
  it('have one form, one order and no repeats', () => {
    const expected = [
      { type: 'dns', value: '*.pods.example' },
      { type: 'dns', value: 'a.example' },
      { type: 'ip', value: '10.0.0.1' },
      { type: 'ip', value: 'fd00::1' },
    ];
    const names = ['fd00:0:0:0::1', 'A.example', '10.0.0.1', '*.pods.example', 'a.example', 'FD00::1'];
    expect(parseSans(names)).to.deep.equal(expected);
  });

  it('are read from what node:crypto prints', () => {
    const printed = 'DNS:a.example, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1';
    expect(parsePrintedSans(printed)).to.deep.equal(parseSans(['a.example', '10.0.0.1', 'fd00::1']));
    expect(parsePrintedSans(undefined)).to.deep.equal([]);
    expect(parsePrintedSans('DNS:a.example, URI:spiffe://x')).to.equal(undefined);
  });

  it('are the same only as a whole', () => {
    const [a, b] = [parseSans(['a', 'b']), parseSans(['a', '10.0.0.1'])];
    expect([isSameSans(a, a), isSameSans(a, b), isSameSans(a, a.slice(1))]).to.deep.equal([true, false, false]);
  });

  for (const name of ['', 'a..b', '-a', 'a_b', 'a b', 'x'.repeat(64), '10.0.0.1/8', '*']) {
    it(`refuse "${name}"`, () => expect(() => parseSans([name])).to.throw(RangeError, `"${name}"`));
  }
});
