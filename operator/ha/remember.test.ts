import { expect } from 'chai';
import { noMemory, type GroupMemory } from './memory.ts';
import type { GroupRecord } from './record.ts';
import { rememberAcross, rememberShown } from './remember.ts';
import { held, taken } from './testing/group.ts';

const after = (...shown: (GroupRecord | undefined)[]): GroupRecord | undefined =>
  shown.reduce<GroupMemory>(rememberShown, noMemory).newest;

describe('the newest record that a watch showed', () => {
  const revoked = taken();
  const another = { ...held, clusterUid: 'another', epoch: 1 };
  const cases: [what: string, shown: (GroupRecord | undefined)[], newest: GroupRecord | undefined][] = [
    ['none', [undefined], undefined],
    ['one', [held], held],
    ['a later one', [held, revoked], revoked],
    ['one that is gone', [held, undefined], held],
    ['one of before (etcd restored)', [revoked, held], revoked],
    ['one of another cluster of this name', [revoked, another], another],
  ];
  for (const [what, shown, newest] of cases) it(what, () => expect(after(...shown)).to.equal(newest));

  it('outlasts a leadership, and nothing else does', () => {
    const memory = { ...noMemory, epoch: 5, revokeKnownAt: 7, newest: held };
    expect(rememberAcross(memory)).to.deep.equal({ ...noMemory, newest: held });
  });
});
