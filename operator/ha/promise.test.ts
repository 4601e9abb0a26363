import { expect } from 'chai';
import { onEpochKnown, onPrepared, onPromiseAsked, promiseAge, type PromiseState } from './promise.ts';
import { rw, two } from './testing/group.ts';
import { UID } from './testing/samples.ts';

const boot: PromiseState = { clusterUid: UID, epoch: 5, preparedEpoch: 0, promisedAt: 1000 };
const ask = { clusterUid: UID, epoch: 5, generation: 3, from: rw };

describe('promise of a member', () => {
  for (const [what, state, changes, promised] of [
    ['in its epoch', boot, {}, true],
    ['of an epoch that is news', boot, { epoch: 6 }, true],
    ['of an epoch that is over', onEpochKnown(boot, 6), {}, false],
    ['after it prepared for the next epoch', onPrepared(boot, 6), {}, false],
    ['after it prepared, in the epoch that follows', onPrepared(boot, 6), { epoch: 6 }, true],
    ['to another cluster', boot, { clusterUid: 'x' }, false],
    ['to the known holder', onEpochKnown(boot, 5, rw), {}, true],
    ['to somebody else than the known holder', onEpochKnown(boot, 5, two), {}, false],
    ['to the holder of an epoch that is news', onEpochKnown(boot, 5, two), { epoch: 6 }, true],
  ] as const) {
    it(`${what}: ${promised ? 'given' : 'refused'}`, () =>
      expect(onPromiseAsked(state, { ...ask, ...changes }, 2000).promised).to.equal(promised));
  }

  it('its age counts from the last one given, and from the boot before that', () => {
    expect(promiseAge(boot, 1500)).to.equal(500);
    const given = onPromiseAsked(boot, ask, 2000).state;
    expect(promiseAge(given, 2500)).to.equal(500);
    expect(promiseAge(onPromiseAsked(onPrepared(given, 6), ask, 3000).state, 3000)).to.equal(1000);
  });

  it('an epoch that is known already does not forget its holder, a later one does', () => {
    expect(onEpochKnown(onEpochKnown(boot, 5, rw), 5).holder).to.deep.equal(rw);
    expect(onEpochKnown(onEpochKnown(boot, 5, rw), 6)).to.not.have.property('holder');
    expect(onEpochKnown(onEpochKnown(boot, 6, rw), 5, two).holder).to.deep.equal(rw);
  });
});
