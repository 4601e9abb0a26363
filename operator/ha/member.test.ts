import { expect } from 'chai';
import fc from 'fast-check';
import { takePrepare, takeQuorum, type MemberState } from './member.ts';
import { three, two } from './testing/group.ts';
import { UID } from './testing/samples.ts';

const stamp = (epoch: number, term = 1, generation = 1) => ({ clusterUid: UID, epoch, term, generation });
const setting = (generation: number, members = [two], k = 1) => ({ generation, members, k });
const after = (state: MemberState, ...settings: number[]): MemberState =>
  settings.reduce((now, it) => {
    const taken = takeQuorum(now, stamp(1), setting(it));
    return taken.accepted ? taken.state : now;
  }, state);

describe('what an agent keeps of commands', () => {
  it('prepare is kept, and never goes back', () => {
    const taken = takePrepare({ preparedEpoch: 7 }, stamp(6));
    expect(taken).to.have.nested.property('state.preparedEpoch', 7);
    expect(takePrepare({ highest: stamp(6) }, stamp(5))).to.deep.include({ accepted: false, reason: 'StaleCommand' });
    expect(takePrepare({ highest: stamp(6) }, { ...stamp(9), clusterUid: 'x' })).to.include({
      reason: 'ForeignCluster',
    });
  });

  for (const [what, next, reason] of [
    ['a later one', setting(4), undefined],
    ['the same again', setting(3), undefined],
    ['an older one', setting(2), 'StaleGeneration'],
    ['another setting under the same number', setting(3, [three]), 'StaleGeneration'],
    ['another k under the same number', setting(3, [two], 0), 'StaleGeneration'],
  ] as const) {
    it(`a setting of synchronous replication: ${what}`, () => {
      const taken = takeQuorum(after({}, 3), stamp(1), { ...next, members: [...next.members] });
      expect(taken.accepted ? undefined : taken.reason).to.equal(reason);
    });
  }

  it('the order of names does not matter', () => {
    const first = takeQuorum({}, stamp(1), setting(3, [two, three]));
    expect(first.accepted && takeQuorum(first.state, stamp(1), setting(3, [three, two])).accepted).to.equal(true);
  });

  it('in whatever order commands come, generation and epoch only grow', () => {
    const commands = fc.array(fc.record({ epoch: fc.nat(4), term: fc.nat(4), generation: fc.nat(6) }));
    const property = fc.property(commands, list => {
      let state: MemberState = {};
      for (const it of list) {
        const taken = takeQuorum(state, stamp(it.epoch, it.term), setting(it.generation));
        if (!taken.accepted) continue;
        expect(taken.state.quorum!.generation).to.be.at.least(state.quorum?.generation ?? 0);
        expect(taken.state.highest!.epoch).to.be.at.least(state.highest?.epoch ?? 0);
        state = taken.state;
      }
    });
    fc.assert(property);
  });
});
