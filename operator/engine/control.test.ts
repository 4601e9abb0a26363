import { expect } from 'chai';
import { isClean, isFollowers, parseControlData } from './control.ts';

describe('pg_controldata', () => {
  it('is read where it says what we need', () => {
    const text = `pg_control version number:            1300
Database system identifier:           7439999999999999999
Database cluster state:               shut down in recovery
Latest checkpoint's TimeLineID:       2
Latest checkpoint's PrevTimeLineID:   1
Minimum recovery ending location:     0/40033B0
Min recovery ending loc's timeline:   3
max_connections setting:              20
max_worker_processes setting:         32
max_wal_senders setting:              16
max_prepared_xacts setting:           0
max_locks_per_xact setting:           64
`;
    expect(parseControlData(text)).to.deep.equal({
      systemId: '7439999999999999999',
      timeline: 2,
      minRecoveryTimeline: 3,
      clusterState: 'shut down in recovery',
      logged: {
        max_connections: 20,
        max_worker_processes: 32,
        max_wal_senders: 16,
        max_prepared_transactions: 0,
        max_locks_per_transaction: 64,
      },
    });
    const fields = ['systemId', 'timeline', 'minRecoveryTimeline', 'clusterState'];
    const none = Object.fromEntries(fields.map(it => [it, undefined]));
    expect(parseControlData('')).to.deep.equal({ ...none, logged: {} });
  });

  for (const [what, control, epoch, expected] of [
    ['an RW that was killed', { clusterState: 'in production', timeline: 2 }, 2, false],
    ['one that was killed while it came back', { clusterState: 'in crash recovery', timeline: 2 }, 2, false],
    ['a follower', { clusterState: 'in archive recovery', timeline: 2, minRecoveryTimeline: 2 }, 3, true],
    ['one that stopped in order', { clusterState: 'shut down in recovery', timeline: 2 }, undefined, true],
    [
      'a promotion, killed before the end of recovery was on disk',
      { clusterState: 'in archive recovery', timeline: 2, minRecoveryTimeline: 2 },
      4,
      true,
    ],
    ['and after', { clusterState: 'in archive recovery', timeline: 2, minRecoveryTimeline: 4 }, 4, false],
    ['nothing is known', {}, 1, false],
  ] as const) {
    it(`tells data of a follower: ${what}`, () => {
      expect(isFollowers(control, epoch)).to.equal(expected);
    });
  }

  for (const [clusterState, expected] of [
    ['shut down', true],
    ['shut down in recovery', true],
    ['shutting down', false],
    ['in production', false],
    ['in archive recovery', false],
    [undefined, false],
  ] as const)
    it(`tells whether it stopped in order: ${clusterState ?? 'unknown'}`, () =>
      expect(isClean({ clusterState })).to.equal(expected));
});
