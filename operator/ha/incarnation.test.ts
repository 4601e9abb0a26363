import { expect } from 'chai';
import fc from 'fast-check';
import { formatIncarnation, isSameIncarnation, parseIncarnation } from './incarnation.ts';
import { first, inc } from './testing/samples.ts';

describe('incarnation', () => {
  it('reads what it writes', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/),
        fc.uuid(),
        fc.stringMatching(/^[0-9a-f]{16}$/),
        (instanceId, podUid, nonce) => {
          const it = { instanceId, podUid, nonce };
          expect(parseIncarnation(formatIncarnation(it))).to.deep.equal(it);
        },
      ),
    );
  });

  for (const text of [
    '',
    '1',
    '1/pod',
    '1/pod/12',
    '1/pod/000000000000000g',
    '1/pod/0000000000000001/x',
    '1//0000000000000001',
  ]) {
    it(`refuses "${text}"`, () => expect(parseIncarnation(text)).to.equal(undefined));
  }

  it('is the same only when all three are', () => {
    expect(isSameIncarnation(first, { ...first })).to.equal(true);
    for (const it of [inc('2', 'pod-a', '1'), inc('1', 'pod-b', '1'), inc('1', 'pod-a', '2')]) {
      expect(isSameIncarnation(first, it)).to.equal(false);
    }
  });
});
