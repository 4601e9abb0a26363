import { expect } from 'chai';
import { hasFailed, renderFigures, summarize, type Figure } from './figures.ts';

describe('figures', () => {
  for (const [values, summary] of [
    [[3], { min: 3, median: 3, max: 3 }],
    [[5, 1], { min: 1, median: 3, max: 5 }],
    [[9, 1, 5], { min: 1, median: 5, max: 9 }],
    [[4, 3, 2, 1], { min: 1, median: 2.5, max: 4 }],
  ] as const) {
    it(`of ${values.join(', ')}`, () => expect(summarize(values)).to.deep.equal(summary));
  }

  it('need a value', () => expect(() => summarize([])).to.throw('nothing was measured'));

  const calls: Figure = { name: 'calls', unit: '1', values: [1, 0, 0], atMost: 0, kind: 'count' };

  it('fail by their median, and only those that a busy machine does not blur', () => {
    expect(hasFailed(calls)).to.be.false;
    expect(hasFailed({ ...calls, values: [1, 1, 0] })).to.be.true;
    expect(hasFailed({ ...calls, values: [1, 1, 0], kind: 'time' })).to.be.false;
    expect(hasFailed({ ...calls, atMost: undefined })).to.be.false;
    expect(hasFailed({ ...calls, worstAtMost: 1 })).to.be.false;
    expect(hasFailed({ ...calls, values: [1, 0, 0], worstAtMost: 0.5 })).to.be.true;
  });

  it('are a table', () => {
    expect(
      renderFigures([
        calls,
        { name: 'synth', unit: 's', values: [0.5, 12.25], atMost: 0.5, kind: 'time', note: 'cold' },
      ]),
    ).to.equal(
      'what   unit  min   median  max   runs  promised\n' +
        'calls  1     0     0       1     3     <= 0\n' +
        'synth  s     0.50  6.38    12.3  2     <= 0.5 MISSED  cold\n',
    );
  });
});
