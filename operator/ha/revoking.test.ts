import { expect } from 'chai';
import { decide } from './decide.ts';
import { formatIncarnation } from './incarnation.ts';
import { allWell, follower, groupView, NOW, rw, rwAgain, three, two, writer } from './testing/group.ts';
import {
  crashed,
  off,
  blank,
  cut,
  silent,
  silentRw,
  share,
  standReady,
  alone,
  ready,
  hour,
  table,
} from './testing/group-cases.ts';

describe('decisions: revoke', () => {
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
    [
      'silent to us; a member that got nothing from it before that is no witness',
      {
        reports: [writer({ ...silent, senders: writer().senders!.slice(0, 1) }), follower(two), follower(three, cut)],
        memory: { streamedAt: new Map([[formatIncarnation(three), NOW - 2500]]) },
      },
      ['HolderSilent'],
    ],
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
      'silent to us, a member reaches it',
      {
        reports: [writer(silent), follower(two), follower(three)],
        evidence: { probes: [{ by: two, about: rw, reached: true, at: NOW }] },
      },
      ['HolderSilent'],
    ],
    [
      'silent, a member did not reach it a while ago',
      {
        reports: [writer(silent), follower(two), follower(three)],
        evidence: { probes: [{ by: two, about: rw, reached: false, at: NOW - 1500 }] },
      },
      ['HolderSilent'],
    ],
    [
      'silent on a shared volume whose members have no receiver, a probe failed too',
      {
        ...standReady,
        options: { unfencedFailover: 'afterExpiry' },
        reports: [writer(silent), follower(two, { ...ready, receiver: undefined })],
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
    [
      'silent on a shared volume, its node too, which is tainted out-of-service',
      {
        ...share,
        reports: [writer(silent), follower(two), follower(three)],
        evidence: { node: { outOfService: true, isSilent: true } },
      },
      ['revoke'],
    ],
    [
      'well on a node that is tainted out-of-service',
      { reports: allWell, evidence: { node: { outOfService: true, isSilent: false } } },
      ['slots 1'],
    ],
    ['silent while held off', { reports: silentRw, isHeld: true }, ['HolderSilent']],
    ['silent, no quorum: it may serve on', { reports: silentRw.slice(0, 2) }, ['HolderSilent']],
    ['silent, E empty: nobody could take over', { record: alone, reports: silentRw }, ['HolderSilent']],
    ['silent on a shared volume without its owner taking the risk', { ...share, reports: silentRw }, ['HolderSilent']],
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
        memory: { servedAt: NOW - 5000, servedSince: hour, muteSince: NOW - 5000 },
        reports: [writer({ engine: { ...crashed, state: 'running' } }), ...allWell.slice(1)],
      },
      ['revoke'],
    ],
    [
      'it is just back after a long recovery, and was not asked yet',
      {
        memory: { servedAt: NOW - 9_000, servedSince: hour },
        reports: [writer({ engine: { ...crashed, state: 'running' } }), ...allWell.slice(1)],
      },
      ['EngineStarting'],
    ],
    [
      'it does not answer SQL, and a leader that is new has never seen it answer: it was published',
      {
        memory: { servedAt: undefined, muteSince: NOW - 5000 },
        reports: [writer({ engine: { ...crashed, state: 'running' } }), ...allWell.slice(1)],
      },
      ['revoke'],
    ],
    [
      '... or its promotion came to its end',
      {
        published: undefined,
        memory: { servedAt: undefined, muteSince: NOW - 5000 },
        reports: [
          writer({
            engine: { ...crashed, state: 'running' },
            task: { kind: 'promote', state: 'done', phase: 'promote' },
          }),
          ...allWell.slice(1),
        ],
      },
      ['revoke'],
    ],
    [
      'its promotion takes long',
      {
        published: undefined,
        memory: { servedAt: undefined, muteSince: NOW - 5000 },
        reports: [
          writer({
            engine: { ...crashed, state: 'running' },
            task: { kind: 'promote', state: 'running', phase: 'promote' },
          }),
          ...allWell.slice(1),
        ],
      },
      ['EngineStarting'],
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

  it('says whose absence keeps a silent RW in its place, and what a person can do', () => {
    const { wait } = decide(groupView({ reports: silentRw.slice(0, 2) }));
    expect(wait?.message).to.contain('1 of the 2 members of E that are needed are ready to take over (missing: 3)');
    expect(wait?.message).to.contain('node.kubernetes.io/out-of-service');
  });
});
