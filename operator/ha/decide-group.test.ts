import { expect } from 'chai';
import type { Command } from './action.ts';
import { decideGroup } from './decide-group.ts';
import { createRecord } from './record.ts';
import type { HeardReport } from './evidence.ts';
import { formatIncarnation } from './incarnation.ts';
import {
  allWell,
  answering,
  follower,
  full,
  groupView,
  held,
  inWords,
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
  type GroupChanges,
} from './testing/group.ts';
import { AT, UID } from './testing/samples.ts';

const crashed: HeardReport['engine'] = { state: 'crashed', role: 'rw', acceptsWrites: false };
const off: HeardReport['engine'] = { state: 'stopped', acceptsWrites: false };
const blank = { state: 'blank' } as const;
const silent = { heardAt: NOW - 1600 };
const cut = { receiver: { streaming: false } };
const silentRw = [writer(silent), follower(two, cut), follower(three)];
const proof = { incarnation: rw, epoch: 6, rung: 1, evidence: 'it says so', at: AT } as const;
const fenced = taken({ fence: proof });
/** Instance 2 was granted after instance 1 in epoch 6, on timeline 2. */
const moved = { ...fenced, former: undefined, holder: two, grant: held.grant, members: full(three), generation: 4 };
const newWriter = writer({
  ...follower(two),
  askedAtEpoch: 6,
  highestEpoch: 6,
  engine: { state: 'running', role: 'rw', acceptsWrites: true },
  position: { timeline: 2, lsn: 1000n },
  quorum: { generation: 4, members: [three], k: 1, isInEffect: true },
  senders: [],
});
const slots: Command = { do: 'slots', on: two, instances: ['1', '3'] };
const firstSlots: Command = { do: 'slots', on: rw, instances: ['2', '3'] };
const fresh = { record: createRecord(UID), established: false, leader: { since: 0, term: 1 }, published: undefined };
const share: GroupChanges = { topology: 'share', isStreaming: true };
const standReady: GroupChanges = { topology: 'share', isStreaming: false };
const alone = { ...held, members: [], k: 0 };
const ready = { engine: { state: 'held', role: 'ro', acceptsWrites: false } } as const;
const hour = NOW - 3_600_000;

function table(cases: readonly (readonly [what: string, changes: GroupChanges, expected: readonly string[]])[]): void {
  for (const [what, changes, expected] of cases) {
    it(what, () => expect(inWords(decideGroup(groupView(changes)))).to.deep.equal(expected));
  }
}

describe('decisions of the cluster manager', () => {
  describe('a group that is well', () => {
    table([
      ['nothing to do', { done: [firstSlots] }, []],
      ['slots are made once per leader', {}, ['slots 1']],
      ['a new leader stamps its term first', { leader: { since: 0 } }, ['stamp']],
      ['a leader whose term was overtaken does nothing', { leader: { since: 0, term: 6 } }, ['LeadershipLost']],
      ['a record of another cluster', { record: { ...held, clusterUid: 'x' } }, ['ForeignRecord']],
    ]);
  });

  describe('first creation', () => {
    table([
      ['no record', { ...fresh, recorded: undefined, reports: [] }, ['create']],
      [
        'record, blank volume',
        { ...fresh, reports: [follower(rw, { volume: blank, engine: off, highestEpoch: 0 })] },
        ['initialize 1'],
      ],
      [
        'initialized',
        {
          ...fresh,
          reports: [follower(rw, { engine: off, highestEpoch: 1, volume: { ...stopped().volume, epoch: 1 } })],
        },
        ['grant'],
      ],
      ['its agent is not up', { ...fresh, reports: [] }, ['InstanceDown']],
      [
        'another instance does not begin',
        { ...fresh, reports: [follower(two, { volume: blank, highestEpoch: 0 })] },
        ['InstanceDown'],
      ],
    ]);
  });

  describe('revoke', () => {
    table([
      ['the cluster shall stop', { wanted: 'stopped' }, ['revoke']],
      [
        'engine crashed, quorum there: promote another',
        { reports: [writer({ engine: crashed }), follower(two), follower(three)] },
        ['revoke'],
      ],
      [
        'engine crashed, one member of two: waits a moment',
        { reports: [writer({ engine: crashed }), follower(two)] },
        ['EngineCrashed'],
      ],
      [
        'engine crashed, no quorum in time: restart in place',
        { reports: [writer({ engine: crashed }), follower(two)], memory: { crashSeenAt: NOW - 300 } },
        ['resume 1', 'EngineCrashed'],
      ],
      [
        'engine crashed, E empty: restart in place at once',
        { record: alone, reports: [writer({ engine: crashed })] },
        ['resume 1', 'EngineCrashed'],
      ],
      [
        'engine crashed while failover is held off',
        { isHeld: true, reports: [writer({ engine: crashed }), ...allWell.slice(1)] },
        ['resume 1', 'EngineCrashed'],
      ],
      [
        'engine crashed, standing ready on a shared volume is no faster',
        { ...standReady, record: alone, reports: [writer({ engine: crashed }), follower(two, ready)] },
        ['resume 1', 'EngineCrashed'],
      ],
      [
        'engine crashed, RO on the shared volume is up',
        { ...share, record: alone, reports: [writer({ engine: crashed }), follower(two)] },
        ['revoke'],
      ],
      ['silent, a second witness, quorum there', { reports: silentRw }, ['revoke']],
      ['silent alone revokes nothing', { reports: [writer(silent), follower(two), follower(three)] }, ['HolderSilent']],
      [
        'silent, a probe failed too',
        {
          reports: [writer(silent), follower(two), follower(three)],
          evidence: { probes: [{ by: two, about: rw, reached: false, at: NOW }] },
        },
        ['revoke'],
      ],
      [
        'silent, its node too',
        {
          reports: [writer(silent), follower(two), follower(three)],
          evidence: { node: { outOfService: false, isSilent: true } },
        },
        ['revoke'],
      ],
      ['silent while held off', { reports: silentRw, isHeld: true }, ['HolderSilent']],
      ['silent, no quorum: it may serve on', { reports: silentRw.slice(0, 2) }, ['HolderSilent']],
      ['silent, E empty: nobody could take over', { record: alone, reports: silentRw }, ['HolderSilent']],
      [
        'silent on a shared volume without its owner taking the risk',
        { ...share, reports: silentRw },
        ['HolderSilent'],
      ],
      [
        'silent on a shared volume with the risk taken',
        { ...share, reports: silentRw, options: { unfencedFailover: 'afterExpiry' } },
        ['revoke'],
      ],
      ['silent, pod gone', { record: alone, reports: [writer(silent)], evidence: { pods: [] } }, ['revoke']],
      [
        'a later incarnation of its pod answers',
        { reports: [writer(), follower(rwAgain), ...allWell.slice(1)] },
        ['revoke'],
      ],
      ['its pod is on its way out', { reports: [writer({ leaving: true }), ...allWell.slice(1)] }, ['revoke']],
      [
        'it runs and does not answer SQL for long',
        {
          memory: { servedAt: NOW - 5000, servedSince: hour },
          reports: [writer({ engine: { ...crashed, state: 'running' } }), ...allWell.slice(1)],
        },
        ['revoke'],
      ],
      [
        'its data is gone, others hold it',
        { reports: [writer({ engine: off, volume: blank }), ...allWell.slice(1)] },
        ['revoke'],
      ],
      [
        'its data is gone, nobody holds it',
        { record: alone, reports: [writer({ engine: off, volume: blank })] },
        ['HolderMayNotRun'],
      ],
      ['nothing heard of it yet by a new leader', { reports: [], leader: { since: NOW, term: 7 } }, ['HolderSilent']],
    ]);
  });

  describe('proof', () => {
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
        ['grant', 'quorum 2'],
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
        ['grant', 'quorum 2'],
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
      [
        'stopped and proven: written down',
        { wanted: 'stopped', record: taken(), reports: [stopped()] },
        ['recordFence'],
      ],
      ['stopped and written down', { wanted: 'stopped', record: fenced, reports: [stopped()] }, ['withdraw']],
      ['stopped and at rest', { wanted: 'stopped', record: fenced, reports: [], published: undefined }, []],
    ]);
  });

  describe('choice, one volume each', () => {
    const late = { provenAt: NOW - 300, revokeKnownAt: NOW - 400 };
    const ended = { ended: new Set([formatIncarnation(two)]) };
    const cold = taken({ fence: proof, former: { ...taken().former!, cause: 'Stopped' } });
    table([
      [
        'two of two have answered',
        { record: fenced, reports: [stopped(), answering(two), answering(three)] },
        ['grant', 'quorum 2'],
      ],
      [
        'one of two: the other is waited for',
        { record: fenced, reports: [stopped(), answering(two), follower(three)] },
        ['prepare 3', 'QuorumMissing'],
      ],
      [
        'one of two, and time is over: back to the former RW',
        { record: fenced, reports: [stopped(), answering(two), follower(three)], memory: late },
        ['grant', 'quorum 1'],
      ],
      [
        'one of two and nothing of the former RW',
        { record: fenced, reports: [answering(two)], memory: late },
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
        ['grant', 'quorum 2'],
      ],
      [
        '... and not before',
        { record: fenced, reports: [answering(twoAgain), answering(three)], memory: { ...late, ...ended } },
        ['QuorumMissing'],
      ],
      [
        'cold start: the former RW, in its new incarnation',
        { record: cold, reports: [stopped({ incarnation: rwAgain, stopped: undefined }), follower(three)] },
        ['grant', 'quorum 1'],
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

    it('the highest wins, and E holds only its equals', () => {
      const reports = [answering(two, 999n), answering(three)];
      const [action] = decideGroup(groupView({ record: fenced, reports })).actions;
      expect(action).to.have.nested.property('record.holder', three);
      expect(action).to.deep.include({ do: 'grant' });
      expect(action).to.have.nested.property('record.members').that.deep.equals([]);
      expect(action).to.have.nested.property('record.k', 0);
    });

    it('the target of a switchover wins among equals only', () => {
      const request = { kind: 'switchover', id: 'r', by: 'Ada', target: '3', acceptedEpoch: 5 } as const;
      const holderAt = (lsn: bigint) =>
        decideGroup(groupView({ request, record: fenced, reports: [answering(two), answering(three, lsn)] }))
          .actions[0];
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
        ['InstanceDown'],
      ],
    ]);

    it('an engine that is up and has the least lag comes first', () => {
      const lagging = follower(two, { position: { timeline: 1, lsn: 1n } });
      const reports = [stopped({ stopped: undefined }), lagging, follower(three)];
      const [action] = decideGroup(groupView({ ...share, record: bare, reports })).actions;
      expect(action).to.have.nested.property('record.holder', three);
    });
  });

  describe('from the grant to the publication', () => {
    const staged: Command = { do: 'quorum', on: two, generation: 4, members: [three], k: 1 };
    const waiting = follower(two, { highestEpoch: 6, quorum: undefined });
    const verify: Command = { do: 'verify', on: two };
    table([
      [
        'its setting of synchronous replication first',
        { record: moved, reports: [waiting] },
        ['quorum 2', 'EngineStarting'],
      ],
      ['promote', { record: moved, reports: [waiting], done: [staged] }, ['promote 2', 'EngineStarting']],
      [
        'on its way',
        { record: moved, reports: [{ ...waiting, engine: { ...crashed, state: 'starting' } }], done: [staged] },
        ['EngineStarting'],
      ],
      ['verify by a write', { record: moved, reports: [newWriter] }, ['verify 2', 'EngineStarting']],
      [
        'the write fails',
        { record: moved, reports: [newWriter], failed: [{ ...verify, code: '57P03' }] },
        ['verify 2', 'WriteFails'],
      ],
      [
        'a full disk is no failure of the engine',
        { record: moved, reports: [newWriter], failed: [{ ...verify, code: '53100' }] },
        ['publish 2'],
      ],
      ['publish', { record: moved, reports: [newWriter], done: [verify] }, ['publish 2']],
      [
        'away for long: the endpoint leads nowhere',
        { record: alone, reports: [], memory: { servedAt: hour } },
        ['withdraw', 'HolderSilent'],
      ],
    ]);

    it('required: with nobody equal commits wait for whoever comes first', () => {
      const reports = [answering(two, 999n), answering(three)];
      const options = { durability: 'required' } as const;
      const { actions } = decideGroup(groupView({ record: fenced, reports, options }));
      expect(actions[1]).to.deep.include({ do: 'quorum', on: three, members: [two], k: 1, generation: 4 });
    });
  });

  describe('followers', () => {
    const done = [slots];
    const parted = follower(rw, { ...cut, volume: { ...stopped().volume, timeline: 1 }, engine: off, highestEpoch: 6 });
    const pointed = follower(three, { plan: { role: 'ro', upstream: two } });
    const record = { ...moved, members: [], k: 0 };
    const rwHere = { ...newWriter, quorum: { generation: 4, members: [], k: 0, isInEffect: true } };
    const base: GroupChanges = { record, published: two, done, memory: { servedSince: NOW } };
    table([
      [
        'repointed by reload, the former RW is rewound',
        { ...base, reports: [rwHere, parted, follower(three)] },
        ['rejoin 1', 'start 3'],
      ],
      ['slots first', { ...base, done: [], reports: [rwHere, pointed] }, ['slots 2']],
      ['blank: base backup', { ...base, reports: [rwHere, follower(three, { volume: blank })] }, ['join 3']],
      [
        'data of another cluster is left alone',
        { ...base, reports: [rwHere, follower(three, { volume: { state: 'foreign' } })] },
        [],
      ],
      ['other settings', { ...base, reports: [rwHere, { ...pointed, settingsHash: 'old' }] }, ['start 3']],
      ['in its place', { ...base, reports: [rwHere, pointed] }, []],
      ['parted by its own word', { ...base, reports: [rwHere, { ...pointed, needsRejoin: true }] }, ['rejoin 3']],
      [
        'on its way',
        {
          ...base,
          reports: [rwHere, { ...pointed, needsRejoin: true, task: { kind: 'rejoin', state: 'running', phase: '' } }],
        },
        [],
      ],
      [
        'astray for long on an older timeline',
        {
          ...base,
          memory: { servedSince: NOW, astraySince: new Map([[formatIncarnation(three), NOW - 10_000]]) },
          reports: [rwHere, { ...pointed, ...cut }],
        },
        ['rejoin 3'],
      ],
      [
        'standing ready needs no upstream',
        {
          ...standReady,
          record,
          published: two,
          reports: [rwHere, follower(three, { engine: off, plan: { role: 'stopped' } })],
        },
        ['start 3'],
      ],
    ]);
  });

  describe('E and k', () => {
    const done = [firstSlots];
    const bare = writer({ quorum: undefined });
    table([
      [
        'first members: recorded as pending',
        { done, record: alone, reports: [bare, ...allWell.slice(1)] },
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
        'one that stopped streaming a moment ago stays',
        {
          done,
          reports: [writer({ senders: writer().senders!.slice(0, 1) }), ...allWell.slice(1)],
          memory: {
            streamedAt: new Map([[formatIncarnation(three), NOW - 2000]]),
            servedSince: hour,
            grantKnownAt: hour,
          },
        },
        [],
      ],
      [
        'one that does not stream for long goes',
        {
          done,
          reports: [writer({ senders: writer().senders!.slice(0, 1) }), ...allWell.slice(1)],
          memory: { servedSince: hour, grantKnownAt: hour },
        },
        ['quorum 1'],
      ],
      [
        'preferred: the last one dies, k = 0 is recorded first',
        { done, reports: [writer({ senders: [] })], memory: { servedSince: hour, grantKnownAt: hour } },
        ['setMembers'],
      ],
      [
        'required: the last one dies, commits wait',
        {
          done,
          reports: [writer({ senders: [] })],
          memory: { servedSince: hour, grantKnownAt: hour },
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
  });

  describe('planned moves', () => {
    const done: Command[] = [firstSlots];
    const checkpoint: Command = { do: 'checkpoint', on: rw };
    const asked = { kind: 'switchover', id: 'r', by: 'Ada' } as const;
    const to3 = { ...asked, target: '3' };
    const accepted = { ...to3, acceptedEpoch: 5 };
    const draining = ['1', '2', '3'].map(id => ({ id, follows: 'ro' as const, isLeaving: id === '1' }));
    const lagging = [writer({ senders: [] }), ...allWell.slice(1)];
    table([
      ['accepted: checkpoint first', { request: accepted, done }, ['checkpoint 1', 'SwitchoverPreparing']],
      ['then the revoke', { request: accepted, done: [...done, checkpoint] }, ['revoke']],
      ['without the checkpoint when it fails', { request: accepted, done, failed: [checkpoint] }, ['revoke']],
      ['the target fell ill meanwhile', { request: accepted, done, reports: lagging }, ['SwitchoverPreparing']],
      ['drain', { instances: draining, done }, ['checkpoint 1', 'SwitchoverPreparing']],
      ['drain, then the revoke', { instances: draining, done: [...done, checkpoint] }, ['revoke']],
      [
        'drain without anybody',
        { instances: draining, done, reports: lagging, memory: { grantKnownAt: NOW } },
        ['DrainWaits'],
      ],
      ['drain while held off', { instances: draining, done, isHeld: true }, []],
    ]);

    for (const [what, changes, expected] of [
      ['accepted', { request: to3 }, 'accepted TargetReady'],
      ['the best one when none is named', { request: asked }, 'accepted TargetReady'],
      ['unknown', { request: { ...asked, target: '9' } }, 'refused TargetUnknown'],
      ['the RW itself', { request: { ...asked, target: '1' } }, 'refused TargetIsRw'],
      ['not there', { request: to3, reports: allWell.slice(0, 2) }, 'refused TargetUnhealthy'],
      ['lagging', { request: to3, reports: lagging, memory: { request: { id: 'r', at: hour } } }, 'refused TargetLags'],
      ['lagging, for a moment', { request: to3, reports: lagging }, undefined],
      [
        'fell ill for long',
        { request: accepted, reports: lagging, memory: { request: { id: 'r', at: hour } } },
        'failed TargetUnhealthy',
      ],
      [
        'done',
        { request: { ...asked, target: '2', acceptedEpoch: 5 }, record: moved, reports: [newWriter], published: two },
        'done Switched',
      ],
      [
        'another one had to take over',
        { request: accepted, record: moved, reports: [newWriter], published: two },
        'failed OtherInstance',
      ],
      ['force beside a working RW', { request: { ...asked, kind: 'force' } }, 'refused WriterAvailable'],
      ['force', { request: { ...asked, kind: 'force' }, reports: [] }, 'accepted Forced'],
    ] as const) {
      it(`request: ${what}`, () => {
        const { request } = decideGroup(groupView(changes as GroupChanges));
        expect(request && `${request.outcome} ${request.reason}`).to.equal(expected);
      });
    }
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
        const [action] = decideGroup(groupView({ request, record: bare, reports: [answering(two)], memory })).actions;
        expect(action).to.have.property('loss').that.contains(loss);
      });
    }
  });

  describe('a record that was lost or came back older', () => {
    const lost: GroupChanges = { recorded: undefined };
    const older = { ...held, epoch: 4 };
    const others = allWell.slice(1);
    table([
      ['lost: all answer, one is RW', lost, ['rebuild']],
      ['lost: one does not answer', { ...lost, reports: allWell.slice(0, 2) }, ['RecordLost']],
      [
        'lost: two are RW',
        { ...lost, reports: [writer(), writer({ incarnation: two }), follower(three)] },
        ['RecordLost'],
      ],
      ['lost: nobody is RW', { ...lost, reports: [follower(rw), ...others] }, ['RecordLost']],
      [
        'lost: the RW is not of the latest epoch',
        { ...lost, reports: [writer(), follower(two, { highestEpoch: 6 }), follower(three)] },
        ['RecordLost'],
      ],
      ['lost and wanted stopped', { ...lost, wanted: 'stopped', published: undefined }, []],
      ['older', { record: older }, ['rebuild']],
      ['older, one does not answer', { record: older, reports: allWell.slice(0, 2) }, ['RecordBehind']],
    ]);

    it('the new one is of an epoch and a generation that nobody has seen, and names nobody', () => {
      const [action] = decideGroup(groupView(lost)).actions;
      expect(action).to.have.property('record').that.includes({ epoch: 6, generation: 4 }).and.not.property('holder');
      expect(action).to.have.nested.property('record.former.incarnation', rw);
    });
  });
});
