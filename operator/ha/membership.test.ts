import { formatIncarnation } from './incarnation.ts';
import { allWell, follower, full, held, NOW, pending, three, two, writer } from './testing/group.ts';
import { firstSlots, share, alone, hour, table } from './testing/group-cases.ts';

describe('decisions: E and k', () => {
  const done = [firstSlots];
  const bare = writer({ quorum: undefined });
  table([
    [
      'first members: recorded as pending',
      { done, record: alone, reports: [bare, ...allWell.slice(1)] },
      ['setMembers'],
    ],
    [
      'one that streams and does not answer yet could not be asked for a choice: the others alone',
      {
        done,
        record: { ...held, members: full(two) },
        reports: [
          writer({ quorum: { ...writer().quorum!, members: [two] } }),
          follower(two),
          follower(three, { engine: { state: 'starting', role: 'ro', acceptsWrites: false } }),
        ],
      },
      [],
    ],
    [
      'as soon as it answers, it too',
      {
        done,
        record: { ...held, members: full(two) },
        reports: [writer({ quorum: { ...writer().quorum!, members: [two] } }), follower(two), follower(three)],
      },
      ['setMembers'],
    ],
    [
      'then the engine',
      { done, record: { ...held, members: pending(two, three), k: 0 }, reports: [bare, ...allWell.slice(1)] },
      ['quorum 1'],
    ],
    [
      'then, proven, as full members',
      { done, record: { ...held, members: pending(two, three), k: 0 } },
      ['setMembers'],
    ],
    [
      'not proven yet',
      {
        done,
        record: { ...held, members: pending(two, three), k: 0 },
        reports: [writer({ quorum: { ...writer().quorum!, since: 1001n } }), ...allWell.slice(1)],
      },
      [],
    ],
    [
      'one that is proven ended goes, engine first',
      { done, memory: { ended: new Set([formatIncarnation(two)]) } },
      ['quorum 1'],
    ],
    [
      'one whose history has parted is not let in by the moment for which it streams',
      {
        done,
        record: { ...held, members: full(two) },
        reports: [
          writer({ quorum: { ...writer().quorum!, members: [two] } }),
          follower(two),
          follower(three, { needsRejoin: true }),
        ],
      },
      [],
    ],
    [
      'one that stopped streaming a moment ago stays',
      {
        done,
        reports: [writer({ senders: writer().senders!.slice(0, 1) }), ...allWell.slice(1)],
        memory: {
          streamedAt: new Map([[formatIncarnation(three), NOW - 2000]]),
          servedSince: hour,
          grantKnownAt: hour,
          upSince: hour,
        },
      },
      [],
    ],
    [
      'after a long restart of the RW in its place all have the time to come back',
      {
        done,
        reports: [writer({ senders: [] }), ...allWell.slice(1)],
        memory: {
          streamedAt: new Map([two, three].map(it => [formatIncarnation(it), NOW - 8000])),
          servedSince: hour,
          grantKnownAt: hour,
          upSince: NOW - 500,
        },
      },
      [],
    ],
    [
      'one that does not stream for long goes',
      {
        done,
        reports: [writer({ senders: writer().senders!.slice(0, 1) }), ...allWell.slice(1)],
        memory: { servedSince: hour, grantKnownAt: hour, upSince: hour },
      },
      ['quorum 1'],
    ],
    [
      'preferred: the last one dies, k = 0 is recorded first',
      { done, reports: [writer({ senders: [] })], memory: { servedSince: hour, grantKnownAt: hour, upSince: hour } },
      ['setMembers'],
    ],
    [
      'required: the last one dies, commits wait',
      {
        done,
        reports: [writer({ senders: [] })],
        memory: { servedSince: hour, grantKnownAt: hour, upSince: hour },
        options: { durability: 'required' },
      },
      [],
    ],
    [
      'a standby is no member',
      {
        done,
        record: alone,
        reports: [bare, ...allWell.slice(1)],
        instances: ['1', '2', '3'].map(id => ({ id, follows: 'standby', isLeaving: false })),
      },
      ['start 2', 'start 3'],
    ],
    ['a shared volume has none', { ...share, record: alone, done, reports: [bare, ...allWell.slice(1)] }, []],
    [
      '... unless expiry counts there',
      {
        ...share,
        done,
        record: alone,
        reports: [bare, ...allWell.slice(1)],
        options: { unfencedFailover: 'afterExpiry' },
      },
      ['setMembers'],
    ],
  ]);

  describe('a member whose agent is silent, and to which the RW still holds a connection', () => {
    const position = { timeline: 1, lsn: 1000n };
    const says = (flushed: bigint) =>
      writer({
        position,
        senders: [
          { incarnation: two, flushed: 1000n, state: 'streaming' },
          { incarnation: three, flushed, state: 'streaming' },
        ],
      });
    const long = { servedSince: hour, grantKnownAt: hour, upSince: hour };
    const before = (flushed: bigint) => ({
      ...long,
      streamedAt: new Map([[formatIncarnation(three), NOW - 3100]]),
      flushed: new Map([[formatIncarnation(three), flushed]]),
    });
    const gone = follower(three, { heardAt: NOW - 4600 });
    table([
      [
        'is lost: it takes nothing of what it lacks',
        { done, reports: [says(900n), follower(two), gone], memory: before(900n) },
        ['quorum 1'],
      ],
      [
        'is there: it takes more, so only we do not hear it',
        { done, reports: [says(900n), follower(two), gone], memory: before(899n) },
        [],
      ],
      [
        'may be there: it lacks nothing',
        { done, reports: [says(1000n), follower(two), gone], memory: before(1000n) },
        [],
      ],
      ['is heard, and slow', { done, reports: [says(900n), follower(two), follower(three)], memory: before(900n) }, []],
    ]);
  });
});
