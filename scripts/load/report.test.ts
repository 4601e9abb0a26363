import { expect } from 'chai';
import { compare, failures, gaps, longestGapMs, spans, type LoadEvent } from './report.ts';

const row = (n: number, at: number, server = 'a'): LoadEvent => ({
  kind: 'acknowledged',
  n,
  sentAt: at - 2,
  at,
  server,
});
const cut = (n: number, at: number): LoadEvent => {
  return { kind: 'failed', what: 'cut', n, sentAt: at - 5, at, code: '57P01', message: 'terminating connection' };
};

describe('report of a load', () => {
  const events = [row(1, 0), row(2, 10), cut(3, 20), row(4, 420, 'b'), row(5, 430, 'b'), row(6, 440, 'a')];

  it('has the gaps between acknowledgements', () => {
    expect(gaps(events)).to.deep.equal([{ from: 10, to: 420, ms: 410 }]);
    expect(longestGapMs(events)).to.equal(410);
    expect(longestGapMs([])).to.equal(0);
  });

  it('has who acknowledged, one after the other', () =>
    expect(spans(events)).to.deep.equal([
      { server: 'a', first: 0, last: 10 },
      { server: 'b', first: 420, last: 430 },
      { server: 'a', first: 440, last: 440 },
    ]));

  it('has what failed', () => expect(failures(events).map(({ n }) => n)).to.deep.equal([3]));

  for (const [what, table, verdict] of [
    ['all and the unsure one', [1, 2, 3, 4, 5, 6], { acknowledged: 5, lost: [], unexpected: 1 }],
    ['all but one', [1, 2, 5, 6], { acknowledged: 5, lost: [4], unexpected: 0 }],
    ['one for another', [1, 2, 3, 5, 6], { acknowledged: 5, lost: [4], unexpected: 1 }],
  ] as const) {
    it(`compared with a table that holds ${what}`, () => expect(compare(events, table)).to.deep.equal(verdict));
  }
});
