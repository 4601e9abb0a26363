import { expect } from 'chai';
import { figuresOf } from './failover.ts';
import type { FailoverCase, FailoverRun } from './failover-run.ts';
import { hasFailed, renderFigures } from './figures.ts';

const one: FailoverCase = {
  name: 'engine killed',
  runs: 2,
  median: 0.5,
  worst: 1,
  isPlanned: true,
  fault: () => Promise.resolve(),
};
const entry = {
  epoch: 2,
  cause: 'EngineCrashed',
  why: 'it crashed',
  startedAt: '',
  partsMs: { detect: 20, promote: 200 },
  gapMs: 300,
};
const runs: FailoverRun[] = [
  { gapMs: 400, lost: 0, failedStatements: 0, entry },
  { gapMs: 1200, lost: 0, failedStatements: 1 },
];

describe('figures of failovers', () => {
  const figures = figuresOf(one, runs);

  it('are the gap with its parts, loss and failed statements', () =>
    expect(renderFigures(figures)).to.equal(
      'what                              unit  min   median  max   runs  promised\n' +
        'engine killed: gap                s     0.40  0.80    1.20  2     <= 0.5, worst <= 1 MISSED\n' +
        '  detect                          s     0.02  0.02    0.02  1\n' +
        '  promote                         s     0.20  0.20    0.20  1\n' +
        '  before, and to the first write  s     0.10  0.10    0.10  1\n' +
        '  rows lost                       1     0     0       0     2     worst <= 0\n' +
        '  statements failed               1     0     0.50    1     2     worst <= 0 MISSED\n',
    ));

  it('fail by what a busy machine does not blur', () =>
    expect(figures.filter(hasFailed).map(({ name }) => name)).to.deep.equal(['  statements failed']));
});
