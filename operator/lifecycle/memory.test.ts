import { expect } from 'chai';
import fc from 'fast-check';
import { Memory } from './memory.ts';

describe('memory of one cluster', () => {
  it('is settled by exactly the sign that was seen', () => {
    const memory = new Memory('uid');
    expect(memory.isSettled('writer', 'a')).to.equal(false);
    memory.settle('writer', 'a');
    expect([memory.isSettled('writer', 'a'), memory.isSettled('writer', 'b')]).to.deep.equal([true, false]);
    expect(memory.isSettled('1002', 'a')).to.equal(false);
  });

  it('looks soon at first, then more and more seldom, and soon again for a new reason or after success', () => {
    const memory = new Memory('uid');
    const pauses = Array.from({ length: 20 }, () => memory.pause('writer', 'Starting'));
    expect(pauses[0]).to.equal(200);
    expect(pauses).to.deep.equal([...pauses].sort((a, b) => a - b));
    expect(pauses.at(-1)).to.equal(5_000);
    expect(memory.pause('writer', 'Stopping')).to.equal(200);
    memory.pause('writer', 'Stopping');
    memory.settle('writer', 'sign');
    expect(memory.pause('writer', 'Stopping')).to.equal(200);
  });

  it('never pauses for less than 200 or more than 5,000 ms', () => {
    const reasons = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('x', 'y')), { maxLength: 60 });
    fc.assert(
      fc.property(reasons, calls => {
        const memory = new Memory('uid');
        for (const [what, reason] of calls) expect(memory.pause(what, reason)).to.be.within(200, 5_000);
      }),
    );
  });
});
