import { expect } from 'chai';
import { grant, isFirstCreation, recordFence, revoke, stampTerm, type FenceRecord } from './record.ts';
import { AT, created, first, granted, must, note, other, restarted, revoked, twin } from './testing/samples.ts';

const fence: FenceRecord = { incarnation: first, epoch: 2, rung: 1, evidence: 'it says so', at: AT };
const toRestarted = { to: restarted, note, members: [], k: 0 };

describe('transitions of the record', () => {
  it('begin at epoch 1 with nobody', () => {
    expect(created).to.deep.equal({ clusterUid: 'cluster-uid', epoch: 1, term: 1, generation: 1, members: [], k: 0 });
    expect([created, granted, revoked].map(isFirstCreation)).to.deep.equal([true, false, false]);
  });

  it('revoke: nobody holds, the next epoch, the former holder and where it ran are remembered', () => {
    const expected = { ...created, epoch: 2, former: { incarnation: first, grant: note, revokedAt: AT } };
    expect(revoked).to.deep.equal(expected);
  });

  it('grant: proof, holder, E and k in one write; the epoch stays', () => {
    const record = must(grant(revoked, { ...toRestarted, fence }));
    expect(record).to.deep.equal({ ...created, epoch: 2, holder: restarted, grant: note, fence });
  });

  it('a proof that was recorded before carries the grant, and goes with the next revoke', () => {
    const record = must(grant(must(recordFence(revoked, fence)), toRestarted));
    expect(record.fence).to.deep.equal(fence);
    expect(must(revoke(record, AT)))
      .to.include({ epoch: 3 })
      .and.not.have.property('fence');
  });

  it('counts a generation only when (E, k) changes', () => {
    const members = [{ incarnation: other, pending: false }];
    const wider = must(grant(revoked, { ...toRestarted, members, k: 1, fence }));
    expect(wider).to.deep.include({ generation: 2, members, k: 1 });
    const again = { ...toRestarted, members, k: 1, fence: { ...fence, incarnation: restarted, epoch: 3 } };
    expect(must(grant(must(revoke(wider, AT)), again)).generation).to.equal(2);
  });

  it('a new leader takes the next term and changes nothing else', () =>
    expect(stampTerm(granted)).to.deep.equal({ ...granted, term: 2 }));

  for (const [what, transition, reason] of [
    ['revoke of nobody', () => revoke(created, AT), 'NoHolder'],
    ['grant beside a holder', () => grant(granted, toRestarted), 'HolderPresent'],
    ['grant without proof', () => grant(revoked, toRestarted), 'NoFence'],
    [
      'grant on the proof of a twin',
      () => grant(revoked, { ...toRestarted, fence: { ...fence, incarnation: twin } }),
      'FenceOfAnother',
    ],
    [
      'grant on the proof of an older epoch',
      () => grant(revoked, { ...toRestarted, fence: { ...fence, epoch: 1 } }),
      'FenceOfAnother',
    ],
    ['grant of a record that lost its history', () => grant({ ...created, epoch: 2 }, toRestarted), 'NotFirstCreation'],
    ['first grant with a proof of somebody', () => grant(created, { ...toRestarted, fence }), 'NoFormerHolder'],
    ['k above the members of E', () => grant(created, { ...toRestarted, k: 1 }), 'BadQuorum'],
    ['proof of nobody', () => recordFence(created, fence), 'NoFormerHolder'],
    [
      'expiry after a proof',
      () => recordFence(must(recordFence(revoked, fence)), { ...fence, rung: 4 }),
      'AlreadyFenced',
    ],
    ['second proof', () => recordFence(must(recordFence(revoked, fence)), { ...fence, rung: 5 }), 'AlreadyFenced'],
  ] as const) {
    it(`refuses: ${what}`, () => expect(transition()).to.include({ ok: false, reason }));
  }

  it('expiry gives way to a proof that lets anybody be granted', () => {
    const expired = must(recordFence(revoked, { ...fence, rung: 4 }));
    expect(must(recordFence(expired, { ...fence, rung: 2 })).fence?.rung).to.equal(2);
  });
});
