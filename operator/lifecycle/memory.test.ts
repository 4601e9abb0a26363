import { expect } from 'chai';
import fc from 'fast-check';
import { Memory } from './memory.ts';

describe('memory of one cluster', () => {
  it('is settled by exactly the sign that was seen', () => {
    const memory = new Memory();
    expect(memory.isSettled('writer', 'a')).to.equal(false);
    memory.settle('writer', 'a');
    expect([memory.isSettled('writer', 'a'), memory.isSettled('writer', 'b')]).to.deep.equal([true, false]);
    expect(memory.isSettled('1002', 'a')).to.equal(false);
  });

  it('repeats a failed call under a new number', () => {
    const memory = new Memory();
    expect(memory.tryOf('join')).to.equal(0);
    memory.ended('join');
    memory.ended('join');
    expect([memory.tryOf('join'), memory.tryOf('start')]).to.deep.equal([2, 0]);
  });

  it('does not grow with the calls that it counts', () => {
    const memory = new Memory();
    memory.ended('first');
    for (let i = 0; i < 1_000; i++) {
      memory.ended(`call ${i}`);
      if (i < 50) memory.ended('in use');
    }
    expect([memory.tryOf('first'), memory.tryOf('call 0'), memory.tryOf('call 999')]).to.deep.equal([0, 0, 1]);
  });

  it('looks soon at first, then more and more seldom, and soon again for a new reason or after success', () => {
    const memory = new Memory();
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
        const memory = new Memory();
        for (const [what, reason] of calls) expect(memory.pause(what, reason)).to.be.within(200, 5_000);
      }),
    );
  });
});
