import { expect } from 'chai';
import { decide } from '../ha/decide.ts';
import { follower, groupView, NOW, rw, three, two, writer } from '../ha/testing/group.ts';
import { conditionsOf, type StatusParts } from './conditions.ts';

const silentSince = (ms: number): string[] => {
  const reports = [writer({ heardAt: NOW - ms }), follower(two), follower(three)];
  const view = groupView({ topology: 'share', published: rw, reports });
  const parts = {
    target: { name: 'orders' },
    view,
    decision: decide(view),
    pods: [],
    troubles: [],
    date: new Date(NOW),
  };
  const [writes] = conditionsOf(parts as unknown as StatusParts);
  return [writes!.status, writes!.reason];
};

describe('condition WriterAvailable', () => {
  it('is true while the RW says that it takes writes', () => {
    expect(silentSince(100)).to.deep.equal(['True', 'Published']);
  });
  it('is false for a silent RW that keeps its right, whatever it said last', () => {
    expect(silentSince(5_000)).to.deep.equal(['False', 'HolderSilent']);
  });
});
