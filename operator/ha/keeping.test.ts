import { expect } from 'chai';
import type { Command } from './action.ts';
import { decide } from './decide.ts';
import { formatIncarnation } from './incarnation.ts';
import {
  answering,
  follower,
  groupView,
  NOW,
  rw,
  stopped,
  taken,
  three,
  two,
  type GroupChanges,
} from './testing/group.ts';
import {
  crashed,
  off,
  blank,
  cut,
  fenced,
  moved,
  newWriter,
  slots,
  standReady,
  alone,
  hour,
  table,
} from './testing/group-cases.ts';

describe('decisions of the cluster manager', () => {
  describe('from the grant to the publication', () => {
    const staged: Command = { do: 'quorum', on: two, generation: 4, members: [three], k: 1 };
    const waiting = follower(two, { highestEpoch: 6, quorum: undefined });
    const verify: Command = { do: 'verify', on: two };
    const unproven = { ...newWriter.quorum!, isInEffect: false };
    const mute = { ...newWriter, engine: { ...newWriter.engine, acceptsWrites: false } };
    const promoting = { kind: 'promote', state: 'running', phase: '' } as const;
    table([
      [
        'a setting of synchronous replication that is stricter than recorded first',
        {
          record: { ...moved, members: [], k: 0 },
          options: { durability: 'required' },
          reports: [waiting, follower(three)],
        },
        ['quorum 2', 'EngineStarting'],
      ],
      [
        'promote: it takes the recorded one by itself',
        { record: moved, reports: [waiting] },
        ['promote 2', 'EngineStarting'],
      ],
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
      [
        'readers that hold all connections are none either: it takes clients, and its own word is that it takes writes',
        { record: moved, reports: [newWriter], failed: [{ ...verify, code: '53300' }] },
        ['publish 2'],
      ],
      [
        '... once commits are proven to wait: nothing else has shown a write',
        { record: moved, reports: [{ ...newWriter, quorum: unproven }], failed: [{ ...verify, code: '53300' }] },
        ['quorum 2', 'EngineStarting'],
      ],
      [
        '... not of one that is in recovery: it says so too',
        { record: moved, reports: [mute], failed: [{ ...verify, code: '53300' }] },
        ['EngineStarting'],
      ],
      ['publish', { record: moved, reports: [newWriter], done: [verify] }, ['publish 2']],
      [
        'commits that are not proven to wait: clients would count on what one server holds',
        { record: moved, reports: [{ ...newWriter, quorum: unproven }], done: [verify] },
        ['quorum 2', 'EngineStarting'],
      ],
      [
        '... and whose proof is under way',
        { record: moved, reports: [{ ...newWriter, quorum: unproven, task: promoting }], done: [verify] },
        ['EngineStarting'],
      ],
      [
        '... and nobody that they would wait for',
        { record: { ...moved, members: [], k: 0 }, reports: [{ ...newWriter, quorum: unproven }], done: [verify] },
        ['publish 2'],
      ],
      [
        'followers are brought along at once: the first commit waits for one of them',
        { record: moved, reports: [newWriter, follower(three)] },
        ['verify 2', 'slots 2', 'EngineStarting'],
      ],
      [
        '... nor for a write that fails: it may need them',
        { record: moved, reports: [newWriter, follower(three)], failed: [{ ...verify, code: '57P03' }] },
        ['verify 2', 'slots 2', 'WriteFails'],
      ],
      [
        'away for long: the endpoint leads nowhere',
        {
          record: alone,
          reports: [],
          memory: { servedAt: hour },
          evidence: { node: { outOfService: false, isSilent: true } },
        },
        ['withdraw', 'HolderSilent'],
      ],
      [
        '... not when nobody but the leader has lost sight of it: it may serve',
        { record: alone, reports: [], memory: { servedAt: hour } },
        ['HolderSilent'],
      ],
      [
        '... also when its right was taken and nothing proves it stopped',
        { record: taken({ members: [], k: 0 }), reports: [], memory: { servedAt: hour } },
        ['withdraw', 'FormerNotProven'],
      ],
    ]);

    it('looks again when the endpoint of an RW that is away is to lead nowhere', () => {
      const record = taken({ members: [], k: 0 });
      const { wakeAt } = decide(groupView({ record, reports: [], memory: { servedAt: NOW - 9000 } }));
      expect(wakeAt).to.equal(NOW + 1000);
    });

    it('required: with nobody equal commits wait for whoever comes first', () => {
      const reports = [answering(two, 999n), answering(three)];
      const options = { durability: 'required' } as const;
      const { actions } = decide(groupView({ record: fenced, reports, options }));
      expect(actions[1]).to.deep.include({ do: 'quorum', on: three, members: [two], k: 1, generation: 4 });
    });
  });

  describe('followers', () => {
    const checkpoint: Command = { do: 'checkpoint', on: two };
    const done = [slots, checkpoint];
    const parted = follower(rw, { ...cut, volume: { ...stopped().volume, timeline: 1 }, engine: off, highestEpoch: 6 });
    const pointed = follower(three, { plan: { role: 'ro', upstream: two } });
    const record = { ...moved, members: [], k: 0 };
    const rwHere = { ...newWriter, quorum: { generation: 4, members: [], k: 0, isInEffect: true } };
    const base: GroupChanges = { record, published: two, done, memory: { servedSince: NOW } };
    const calm: GroupChanges = { ...base, memory: { servedSince: NOW - 1_000 } };
    table([
      [
        'repointed by reload, the former RW is rewound',
        { ...base, reports: [rwHere, parted, follower(three)] },
        ['rejoin 1', 'start 3'],
      ],
      [
        'its timeline has to be seen by then: by a checkpoint',
        { ...calm, done: [slots], reports: [rwHere, parted, follower(three)] },
        ['checkpoint 2', 'start 3'],
      ],
      [
        '... not while the first commits need its disks',
        { ...base, done: [slots], reports: [rwHere, parted, follower(three)] },
        ['start 3'],
      ],
      [
        '... that has its time',
        { ...calm, done: [slots], failed: [{ ...checkpoint, code: 'CheckpointGoesOn' }], reports: [rwHere, parted] },
        ['checkpoint 2'],
      ],
      [
        '... and is done without when it fails',
        { ...base, done: [slots], failed: [{ ...checkpoint, code: '53100' }], reports: [rwHere, parted] },
        ['rejoin 1'],
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
          memory: { servedSince: NOW, astray: new Map([[formatIncarnation(three), { since: NOW - 10_000 }]]) },
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
});
