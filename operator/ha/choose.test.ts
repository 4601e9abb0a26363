import { expect } from 'chai';
import { decide } from './decide.ts';
import type { HeardReport } from './evidence.ts';
import { formatIncarnation } from './incarnation.ts';
import { ATTESTATION_ANNOTATION } from './ladder.ts';
import {
  answering,
  follower,
  full,
  groupView,
  NOW,
  pending,
  rw,
  rwAgain,
  stopped,
  taken,
  three,
  two,
  twoAgain,
  writer,
} from './testing/group.ts';
import { silent, proof, fenced, share, standReady, alone, ready, hour, table } from './testing/group-cases.ts';

describe('decisions of the cluster manager', () => {
  describe('choice, one volume each', () => {
    const late = { provenAt: NOW - 300, revokeKnownAt: NOW - 400 };
    const ended = { ended: new Set([formatIncarnation(two)]) };
    const cold = taken({ fence: proof, former: { ...taken().former!, cause: 'Stopped' } });
    table([
      [
        'two of two have answered',
        { record: fenced, reports: [stopped(), answering(two), answering(three)] },
        ['grant'],
      ],
      [
        'one of two: the other is waited for',
        { record: fenced, reports: [stopped(), answering(two), follower(three)] },
        ['prepare 3', 'QuorumMissing'],
      ],
      [
        'one of two, and time is over: back to the former RW',
        { record: fenced, reports: [stopped(), answering(two), follower(three)], memory: late },
        ['grant'],
      ],
      [
        '... unless another one was to follow it: its members have as long as its stop',
        {
          record: { ...fenced, former: { ...fenced.former!, cause: 'Switchover' } },
          reports: [stopped(), answering(two), follower(three)],
          memory: late,
        },
        ['prepare 3', 'QuorumMissing'],
      ],
      [
        '... which ends too',
        {
          record: { ...fenced, former: { ...fenced.former!, cause: 'Switchover' } },
          reports: [stopped(), answering(two), follower(three)],
          memory: { ...late, provenAt: NOW - 2000 },
        },
        ['grant'],
      ],
      [
        'one of two and nothing of the former RW',
        { record: fenced, reports: [answering(two)], memory: late },
        ['QuorumMissing'],
      ],
      [
        'a cluster that was stopped is started: its RW is waited for, and nobody is asked to force anything',
        { record: cold, reports: [answering(twoAgain)], memory: { wantedAt: NOW - 29_000, provenAt: hour } },
        ['ColdStart'],
      ],
      [
        '... for coldStartMs',
        { record: cold, reports: [answering(twoAgain)], memory: { wantedAt: NOW - 30_000, provenAt: hour } },
        ['QuorumMissing'],
      ],
      [
        'E empty: only the former RW',
        { record: { ...fenced, members: [], k: 0 }, reports: [answering(two), answering(three)] },
        ['InstanceDown'],
      ],
      [
        'a restarted member does not stand for its former self',
        { record: fenced, reports: [answering(twoAgain), answering(three)], memory: { ...late, provenAt: hour } },
        ['QuorumMissing'],
      ],
      [
        '... but does when that is proven ended, after the cold start',
        {
          record: fenced,
          reports: [answering(twoAgain), answering(three)],
          memory: { ...ended, provenAt: hour, wantedAt: hour },
        },
        ['grant'],
      ],
      [
        '... and not before',
        { record: fenced, reports: [answering(twoAgain), answering(three)], memory: { ...late, ...ended } },
        ['QuorumMissing'],
      ],
      [
        'cold start: the former RW, in its new incarnation',
        { record: cold, reports: [stopped({ incarnation: rwAgain, stopped: undefined }), follower(three)] },
        ['grant'],
      ],
      [
        'proof that no grant can carry is written down',
        { record: taken({ members: [], k: 0 }), reports: [stopped({ leaving: true })] },
        ['recordFence', 'InstanceDown'],
      ],
      [
        'two incarnations of the former RW',
        { record: { ...fenced, members: [], k: 0 }, reports: [stopped(), stopped({ incarnation: rwAgain })] },
        ['TwoIncarnations'],
      ],
      [
        'the container is not known yet',
        { record: { ...fenced, members: [], k: 0 }, reports: [stopped({ container: undefined })] },
        ['ContainerUnknown'],
      ],
      [
        'the data is of another cluster',
        { record: { ...fenced, members: [], k: 0 }, reports: [stopped({ volume: { state: 'foreign' } })] },
        ['VolumeUnusable'],
      ],
    ]);

    it('expiry alone, and who holds all of it is pending: a person can help', () => {
      const record = taken({
        members: [...full(two), ...pending(three)],
        k: 1,
        fence: { ...proof, rung: 4 },
      });
      const reports = [answering(two, 999n), answering(three)];
      const { wait } = decide(groupView({ record, reports, memory: { ...late, provenAt: hour } }));
      expect(wait?.reason).to.equal('NoCandidate');
      expect(wait?.message).to.include('node.kubernetes.io/out-of-service').and.to.include(ATTESTATION_ANNOTATION);
    });

    it('the highest wins, and E holds only its equals', () => {
      const reports = [answering(two, 999n), answering(three)];
      const [action] = decide(groupView({ record: fenced, reports })).actions;
      expect(action).to.have.nested.property('record.holder', three);
      expect(action).to.deep.include({ do: 'grant' });
      expect(action).to.have.nested.property('record.members').that.deep.equals([]);
      expect(action).to.have.nested.property('record.k', 0);
    });

    it('the target of a switchover wins among equals only', () => {
      const request = { kind: 'switchover', id: 'r', by: 'Ada', target: '3', acceptedEpoch: 5 } as const;
      const holderAt = (lsn: bigint) =>
        decide(groupView({ request, record: fenced, reports: [answering(two), answering(three, lsn)] })).actions[0];
      expect(holderAt(1000n)).to.have.nested.property('record.holder', three);
      expect(holderAt(999n)).to.have.nested.property('record.holder', two);
    });
  });

  describe('choice on a shared volume', () => {
    const bare = { ...fenced, members: [], k: 0 };
    const up = (it: HeardReport): HeardReport => ({ ...it, highestEpoch: 6 });
    table([
      ['any live member', { ...share, record: bare, reports: [up(follower(two))] }, ['grant']],
      [
        'expiry counts for members of E only',
        {
          ...share,
          options: { unfencedFailover: 'afterExpiry' },
          record: taken({ members: full(three), k: 0, fence: { ...proof, rung: 4 } }),
          reports: [up(follower(two))],
        },
        ['prepare 2', 'NoCandidate'],
      ],
      ['nobody', { ...share, record: bare, reports: [] }, ['NoCandidate']],
      [
        'cold start: the former RW is waited for',
        {
          ...standReady,
          record: { ...bare, former: { ...taken().former!, cause: 'Stopped' } },
          reports: [follower(two, ready)],
        },
        ['ColdStart'],
      ],
    ]);

    it('an engine that is up and has the least lag comes first', () => {
      const lagging = follower(two, { position: { timeline: 1, lsn: 1n } });
      const reports = [stopped({ stopped: undefined }), lagging, follower(three)];
      const [action] = decide(groupView({ ...share, record: bare, reports })).actions;
      expect(action).to.have.nested.property('record.holder', three);
    });
  });

  describe('by force', () => {
    const request = { kind: 'force', id: 'r', by: 'Ada', acceptedEpoch: 5 } as const;
    const bare = { ...fenced, members: [], k: 0 };
    table([
      ['the right of a silent RW is taken', { request, record: alone, reports: [writer(silent)] }, ['revoke']],
      [
        'its proof is needed all the same',
        { request, record: taken({ members: [], k: 0 }), reports: [answering(two)] },
        ['FormerNotProven'],
      ],
      ['granted without a quorum', { request, record: bare, reports: [answering(two)] }, ['grant']],
      [
        'expiry is no proof for it',
        { request, record: { ...fenced, fence: { ...proof, rung: 4 } }, reports: [answering(two)] },
        ['FormerNotProven'],
      ],
      ['nobody', { request, record: bare, reports: [] }, ['NoCandidate']],
    ]);

    for (const [what, memory, loss] of [
      ['known', { rwPosition: { of: rw, timeline: 1, lsn: 1500n } }, 'at least 500 bytes'],
      ['unknown', {}, 'unknown'],
    ] as const) {
      it(`the loss is stated: ${what}`, () => {
        const [action] = decide(groupView({ request, record: bare, reports: [answering(two)], memory })).actions;
        expect(action).to.have.property('loss').that.contains(loss);
      });
    }
  });
});
