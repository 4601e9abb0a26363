import { expect } from 'chai';
import type { Incarnation } from './incarnation.ts';
import {
  DEFAULT_TTL_MS,
  holds,
  needsRead,
  noRight,
  onAnswer,
  onPromises,
  onQuorumCommand,
  onRecordRead,
  onRevoked,
  promisersOf,
  ttlOf,
  type RightState,
} from './right.ts';
import type { GroupRecord } from './record.ts';
import { first, granted, must, note, other, restarted, revoked, twin, UID } from './testing/samples.ts';
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

  const stamp = (epoch: number, generation: number) => ({ clusterUid: UID, epoch, generation });
  const answered = (state: RightState, sentAt: number, [epoch, generation]: [number, number] = [1, 2]): RightState =>
    onAnswer(state, { stamp: stamp(epoch, generation), sentAt }, options);
  const bounded = read(withMembers, 1000);

  describe('(a) an answer of the cluster manager', () => {
    it('counts for the ttl from the sending of the report', () => {
      expect(holds(answered(bounded, 2000), 4999)).to.equal(true);
      expect(holds(answered(bounded, 2000), 5000)).to.equal(false);
    });
    it('begins a right, for the shortest ttl there is until the grant is read', () => {
      expect(holds(answered(noRight, 0), 2499)).to.equal(true);
      expect(holds(answered(noRight, 0), 2500)).to.equal(false);
    });
    it('of an epoch that was revoked gives nothing', () => {
      expect(holds(answered(onRevoked(bounded, 2), 2000), 2000)).to.equal(false);
    });
    it('of another cluster gives nothing', () => {
      const foreign = { stamp: { ...stamp(1, 2), clusterUid: 'x' }, sentAt: 0 };
      expect(holds(onAnswer(noRight, foreign, options), 0)).to.equal(false);
    });
    it('never shortens a right, late or not', () => expect(holds(answered(bounded, 0), 3999)).to.equal(true));
    it('leaves a right without end, unless it tells of a later (E, k)', () => {
      expect(holds(answered(read(granted, 0), 0, [1, 1]), 1e9)).to.equal(true);
      expect(holds(answered(read(granted, 0), 0, [1, 2]), 1e9)).to.equal(false);
    });
  });

  describe('(c) promises of members', () => {
    const promised = (
      state: RightState,
      by: Incarnation[],
      { sentAt = 3000, now = 3100, epoch = 1 } = {},
    ): RightState => onPromises(state, { epoch, promised: by, sentAt, now }, options);

    it('extend a right when all of E promise', () => {
      const state = promised(bounded, [other]);
      expect(state.right).to.deep.equal({ kind: 'promises', until: 6000 });
    });
    it('one is missing: nothing', () => expect(promised(bounded, [])).to.equal(bounded));
    it('never begin one', () => {
      expect(promised(noRight, [other])).to.equal(noRight);
      expect(holds(promised(bounded, [other], { now: 4000 }), 4000)).to.equal(false);
    });
    it('of another epoch count for nothing', () => expect(promised(bounded, [other], { epoch: 2 })).to.equal(bounded));
    it('cannot be had where E is empty', () => {
      expect(promisersOf(read(granted, 0))).to.deep.equal([]);
      expect(promised(read(granted, 0), []).right?.kind).to.equal('alone');
    });

    const commanded = (state: RightState, generation: number, members: Incarnation[]): RightState =>
      onQuorumCommand(state, { epoch: 1, generation, members, now: 1000 }, options);

    it('those commanded count beside those recorded', () => {
      expect(promisersOf(commanded(bounded, 3, [other, twin]))).to.deep.equal([other, twin]);
    });
    it('one that a later command takes away still counts: its record may not be changed yet', () => {
      expect(promisersOf(commanded(commanded(bounded, 3, [other, twin]), 4, [other]))).to.deep.equal([other, twin]);
    });
    it('... until the record is read', () => {
      const state = commanded(commanded(bounded, 3, [other, twin]), 4, [other]);
      expect(promisersOf(read({ ...withMembers, generation: 4 }, 2000, state))).to.deep.equal([other]);
      expect(promisersOf(read({ ...withMembers, generation: 2 }, 2000, state))).to.deep.equal([other, twin]);
    });
  });

  describe('a command for synchronous replication', () => {
    const command = (members: Incarnation[]) =>
      onQuorumCommand(read(granted, 0), { epoch: 1, generation: 2, members, now: 1000 }, options);

    it('that brings members bounds a right without end', () => {
      expect(holds(command([other]), 3999)).to.equal(true);
      expect(holds(command([other]), 4000)).to.equal(false);
    });
    it('... and a late read of the empty E does not unbind it', () => {
      expect(holds(read(granted, 1000, command([other])), 1e6)).to.equal(false);
    });
    it('without members does not', () => expect(holds(command([]), 1e6)).to.equal(true));
    it('of an older epoch changes nothing', () => {
      const state = read(revoked, 0);
      expect(onQuorumCommand(state, { epoch: 1, generation: 9, members: [other], now: 0 }, options)).to.equal(state);
    });
  });

  it('a right counts no longer than its grant says, whatever the agent was told', () => {
    const short = { ...withMembers, grant: { ...note, ttlMs: 2600 } };
    expect(holds(read(short, 0), 2600)).to.equal(false);
    expect(holds(onRecordRead(noRight, { record: short, sentAt: 0 }, { ...options, ttlMs: 60_000 }), 2600)).to.equal(
      false,
    );
    expect(ttlOf(read({ ...withMembers, grant: { ...note, ttlMs: 9000 } }, 0), options)).to.equal(3000);
  });

  for (const [what, state, known, needed] of [
    ['nothing read yet', noRight, stamp(1, 1), true],
    ['all read', bounded, stamp(1, 2), false],
    ['a later (E, k)', bounded, stamp(1, 3), true],
    ['an older epoch', bounded, stamp(0, 9), false],
  ] as const) {
    it(`a read is needed: ${what}`, () => expect(needsRead(state, known)).to.equal(needed));
  }
});
