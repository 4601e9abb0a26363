import { allWell, answering, NOW, pending, stopped, taken, three, two } from './testing/group.ts';
import { fenced, share, hour, table } from './testing/group-cases.ts';

describe('decisions: proof', () => {
  const dead = taken({ former: { ...taken().former!, cause: 'HostSilent' } });
  const planned = taken({ former: { ...taken().former!, cause: 'Switchover' } });
  const stopping = stopped({ stopped: undefined, engine: { state: 'stopping', role: 'rw', acceptsWrites: false } });
  table([
    [
      'unplanned: kill and ask members beside each other',
      { record: taken(), reports: allWell },
      ['demote kill 1', 'prepare 2', 'prepare 3', 'FormerNotProven'],
    ],
    [
      'planned: fast stop, members are asked when it has ended',
      { record: planned, reports: allWell },
      ['demote fast 1', 'FormerNotProven'],
    ],
    [
      'planned, stopping',
      { record: planned, reports: [stopping, ...allWell.slice(1)] },
      ['demote fast 1', 'FormerStopping'],
    ],
    [
      'planned, too slow',
      { record: planned, reports: allWell, memory: { revokeKnownAt: NOW - 2000 } },
      ['demote kill 1', 'prepare 2', 'prepare 3', 'FormerNotProven'],
    ],
    [
      'silent: members are asked',
      { record: dead, reports: allWell.slice(1) },
      ['prepare 2', 'prepare 3', 'FormerNotProven'],
    ],
    [
      'silent, right not run out yet',
      { record: dead, reports: [answering(two), answering(three)], memory: { revokeKnownAt: NOW - 3499 } },
      ['FormerNotProven'],
    ],
    [
      'silent, right run out: granted by expiry',
      { record: dead, reports: [answering(two), answering(three)], memory: { revokeKnownAt: NOW - 3500 } },
      ['grant'],
    ],
    [
      'an answer of ours may have renewed it',
      {
        record: dead,
        reports: [answering(two), answering(three)],
        memory: { revokeKnownAt: NOW - 3500 },
        leader: { since: 0, term: 7, lastAnswerAt: NOW - 3400 },
      },
      ['FormerNotProven'],
    ],
    [
      'another leader may have answered',
      {
        record: dead,
        reports: [answering(two), answering(three)],
        memory: { revokeKnownAt: NOW - 3500 },
        leader: { since: NOW - 3400, term: 7 },
      },
      ['FormerNotProven'],
    ],
    [
      'one member that refuses promises is enough',
      {
        record: dead,
        reports: [
          answering(two, 1000n, { prepared: { epoch: 6, timeline: 1, lsn: 1000n, promiseAgeMs: 0 } }),
          answering(three),
        ],
        memory: { revokeKnownAt: NOW - 3500 },
      },
      ['grant'],
    ],
    [
      'pending members refuse for nobody',
      {
        record: { ...dead, members: pending(two, three) },
        reports: [answering(two), answering(three)],
        memory: { revokeKnownAt: hour },
      },
      ['FormerNotProven'],
    ],
    [
      'on a shared volume expiry proves nothing',
      { ...share, record: dead, reports: [answering(two), answering(three)], memory: { revokeKnownAt: hour } },
      ['FormerNotProven'],
    ],
    [
      'the cluster shall stop: nobody is asked',
      { wanted: 'stopped', record: taken(), reports: allWell, published: undefined },
      ['demote kill 1', 'FormerNotProven'],
    ],
    ['stopped and proven: written down', { wanted: 'stopped', record: taken(), reports: [stopped()] }, ['recordFence']],
    ['stopped and written down', { wanted: 'stopped', record: fenced, reports: [stopped()] }, ['withdraw']],
    ['stopped and at rest', { wanted: 'stopped', record: fenced, reports: [], published: undefined }, []],
  ]);
});
