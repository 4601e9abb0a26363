import { expect } from 'chai';
import { parsePortRange, portInRange } from './ports.ts';

describe('port ranges of the original annotations', () => {
  for (const [text, range] of [
    ['5400-5800', { first: 5400, last: 5800 }],
    ['36000+10', { first: 36000, last: 36010 }],
    [' 5432 ', { first: 5432, last: 5432 }],
    ['', undefined],
  ] as const) {
    it(`"${text}"`, () => expect(parsePortRange(text)).to.deep.equal(range));
  }

  for (const text of ['a-b', '10-5', '0-5', '65000+1000', '1-2-3', '-5']) {
    it(`refuses "${text}"`, () => expect(() => parsePortRange(text)).to.throw(`"${text}"`));
  }

  it('includes both ends', () => {
    const range = { first: 5400, last: 5800 };
    expect([5399, 5400, 5800, 5801].map(port => portInRange(port, range))).to.deep.equal([false, true, true, false]);
  });
});
