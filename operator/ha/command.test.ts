import { expect } from 'chai';
import fc from 'fast-check';
import { acceptCommand, compareCommand, type CommandStamp } from './command.ts';

const stamp = (epoch: number, term: number, generation: number, clusterUid = 'u'): CommandStamp => ({
  clusterUid,
  epoch,
  term,
  generation,
});

describe('order of commands', () => {
  for (const [what, command, expected] of [
    ['the same again', stamp(2, 2, 2), true],
    ['a later epoch of an older term', stamp(3, 1, 1), true],
    ['an older epoch of a later term', stamp(1, 9, 9), false],
    ['a later term of an older generation', stamp(2, 3, 1), true],
    ['an older term', stamp(2, 1, 9), false],
    ['an older generation', stamp(2, 2, 1), false],
    ['another cluster', stamp(9, 9, 9, 'other'), 'ForeignCluster'],
  ] as const) {
    it(what, () => {
      const answer = acceptCommand(stamp(2, 2, 2), command);
      if (expected === true) expect(answer).to.deep.equal({ accepted: true, highest: command });
      else expect(answer).to.deep.equal({ accepted: false, reason: expected || 'StaleCommand' });
    });
  }

  it('keeps the stamp alone, not the rest of the command', () => {
    const command = { ...stamp(1, 1, 1), requestId: 'r' };
    expect(acceptCommand(undefined, command)).to.deep.equal({ accepted: true, highest: stamp(1, 1, 1) });
  });

  it('never goes back, in any order of arrival', () => {
    const count = fc.nat(3);
    fc.assert(
      fc.property(fc.array(fc.tuple(count, count, count)), commands => {
        let highest: CommandStamp | undefined;
        for (const it of commands) {
          const answer = acceptCommand(highest, stamp(...it));
          if (!answer.accepted) continue;
          expect(highest ? compareCommand(answer.highest, highest) : 0).to.be.at.least(0);
          highest = answer.highest;
        }
      }),
    );
  });
});
