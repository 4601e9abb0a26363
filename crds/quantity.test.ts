import { expect } from 'chai';
import { quantityValue } from './quantity.ts';

describe('quantities', () => {
  for (const [text, value] of [
    ['0', 0],
    [3, 3],
    ['1500m', 1.5],
    ['.5', 0.5],
    ['2.', 2],
    ['1k', 1000],
    ['1Ki', 1024],
    ['20Gi', 21_474_836_480],
    ['1.5Mi', 1_572_864],
    ['1e3', 1000],
    ['12E-1', 1.2],
    ['1E', 1e18],
  ] as const) {
    it(`${text} is ${value}`, () => expect(quantityValue(text)).to.be.closeTo(value, value * 1e-12));
  }

  for (const text of ['', 'Gi', '-1', '1GB', '1 Gi', '0x10', '1e', 'NaN']) {
    it(`refuses "${text}"`, () => expect(() => quantityValue(text)).to.throw(`"${text}"`));
  }
});
