import { expect } from 'chai';
import { comparePosition, parseLsn } from './lsn.ts';

describe('position in the log', () => {
  for (const [text, lsn] of [
    ['0/0', 0n],
    ['0/3000148', 0x3000148n],
    ['1A/FFFFFFFF', 0x1affffffffn],
    ['', undefined],
    ['0/', undefined],
    ['3000148', undefined],
    ['0/123456789', undefined],
  ] as const) {
    it(`"${text}"`, () => expect(parseLsn(text)).to.equal(lsn));
  }

  for (const [a, b, order] of [
    [{ timeline: 1, lsn: 5n }, { timeline: 1, lsn: 5n }, 0],
    [{ timeline: 1, lsn: 5n }, { timeline: 1, lsn: 6n }, -1],
    [{ timeline: 2, lsn: 5n }, { timeline: 1, lsn: 6n }, 1],
  ] as const) {
    it(`${a.timeline}: ${a.lsn} and ${b.timeline}: ${b.lsn}`, () => expect(comparePosition(a, b)).to.equal(order));
  }
});
