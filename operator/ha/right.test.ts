import { expect } from 'chai';
import { DEFAULT_TTL_MS, holds, noRight, onRecordRead, onRevoked, type RightState } from './right.ts';
import type { GroupRecord } from './record.ts';
import { first, granted, must, note, other, restarted, revoked, UID } from './testing/samples.ts';
import { grant } from './record.ts';

const options = { me: first, clusterUid: UID, ttlMs: DEFAULT_TTL_MS };
const members = [{ incarnation: other, pending: true }];
const withMembers: GroupRecord = { ...granted, members, generation: 2 };

const read = (record: GroupRecord, sentAt: number, state: RightState = noRight): RightState =>
  onRecordRead(state, { record, sentAt }, options);

describe('right of the agent', () => {
  it('there is none before a read', () => expect(holds(noRight, 0)).to.equal(false));

  it('with members in E, pending ones too, a read counts for the ttl from its sending', () => {
    const state = read(withMembers, 1000);
    expect([1000, 3999, 4000].map(now => holds(state, now))).to.deep.equal([true, true, false]);
  });

  it('with E empty it does not expire', () => expect(holds(read(granted, 0), 1e15)).to.equal(true));

  it('a record that names another incarnation of the same instance gives none', () => {
    const toRestarted = onRecordRead(noRight, { record: granted, sentAt: 0 }, { ...options, me: restarted });
    expect(holds(toRestarted, 0)).to.equal(false);
  });

  it('a record of another cluster gives none and takes none', () => {
    expect(holds(read({ ...granted, clusterUid: 'x', epoch: 9 }, 0), 0)).to.equal(false);
    expect(holds(read({ ...revoked, clusterUid: 'x' }, 0, read(granted, 0)), 0)).to.equal(true);
  });

  it('ends at once when a read shows the revoke, and a late read does not bring it back', () => {
    const state = read(revoked, 10, read(granted, 0));
    expect(holds(state, 10)).to.equal(false);
    expect(holds(read(granted, 20, state), 20)).to.equal(false);
  });

  it('ends at once on the word of a revoke', () => {
    const state = onRevoked(read(granted, 0), 2);
    expect(holds(state, 0)).to.equal(false);
    expect(holds(read(granted, 5, state), 5)).to.equal(false);
  });

  it('a word of a revoke from before the grant takes nothing', () => {
    const fence = { incarnation: first, epoch: 2, rung: 1, evidence: '', at: '' } as const;
    const again = read(must(grant(revoked, { to: first, note, members: [], k: 0, fence })), 0);
    expect(holds(onRevoked(again, 2), 1)).to.equal(true);
    expect(holds(read(revoked, 1, again), 1)).to.equal(true);
  });

  it('becomes bounded when E gets members, and a late read of the empty E does not unbind it', () => {
    const bounded = read(withMembers, 1000, read(granted, 0));
    expect(holds(bounded, 4000)).to.equal(false);
    expect(holds(read(granted, 1500, bounded), 4600)).to.equal(false);
  });

  it('answers out of order never shorten it', () => {
    expect(holds(read(withMembers, 500, read(withMembers, 1000)), 3999)).to.equal(true);
    const alone = read({ ...granted, generation: 3 }, 1000, read(withMembers, 0));
    expect(holds(read(withMembers, 500, alone), 1e6)).to.equal(true);
  });
});
