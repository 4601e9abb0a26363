import { expect } from 'chai';
import { bootVerdict, mayInitialize } from './boot.ts';
import { created, first, granted, other, restarted, revoked, twin, UID } from './testing/samples.ts';

const ours = { state: 'initialized', clusterUid: UID, epoch: 1 } as const;

describe('boot rule', () => {
  for (const [what, record, me, volume, run, reason] of [
    ['no record', undefined, first, ours, 'stopped', 'NoRecord'],
    ['blank volume, even of the holder', granted, first, { state: 'blank' }, 'stopped', 'VolumeBlank'],
    ['half-filled volume of the holder', granted, first, { ...ours, state: 'partial' }, 'stopped', 'VolumePartial'],
    ['volume of another cluster', granted, first, { ...ours, clusterUid: 'x' }, 'stopped', 'ForeignVolume'],
    ['volume that does not say whose it is', granted, first, { state: 'initialized' }, 'stopped', 'ForeignVolume'],
    ['volume called foreign', granted, first, { ...ours, state: 'foreign' }, 'stopped', 'ForeignVolume'],
    ['volume from a later epoch than the record', granted, first, { ...ours, epoch: 2 }, 'stopped', 'RecordBehind'],
    ['holder', granted, first, ours, 'rw', 'Holder'],
    ['agent of the holder restarted', granted, restarted, ours, 'stopped', 'FormerSelf'],
    ['twin of the holder', granted, twin, ours, 'stopped', 'FormerSelf'],
    ['revoked', revoked, first, ours, 'stopped', 'FormerSelf'],
    ['revoked and restarted', revoked, restarted, ours, 'stopped', 'FormerSelf'],
    ['another instance', granted, other, ours, 'follower', 'HolderElsewhere'],
    ['another instance after a revoke', revoked, other, ours, 'follower', 'NoHolder'],
    ['nobody granted yet', created, first, ours, 'stopped', 'NoHolder'],
  ] as const) {
    it(`${what}: ${run}`, () => expect(bootVerdict({ record, me, volume })).to.include({ run, reason }));
  }

  it('a database system is made only before the first grant and never over data', () => {
    expect(mayInitialize(created, { state: 'blank' })).to.equal(true);
    expect(mayInitialize(created, { state: 'partial' })).to.equal(true);
    expect(mayInitialize(created, ours)).to.equal(false);
    expect(mayInitialize(created, { state: 'foreign' })).to.equal(false);
    expect(mayInitialize(granted, { state: 'blank' })).to.equal(false);
    expect(mayInitialize(revoked, { state: 'blank' })).to.equal(false);
  });
});
