import { expect } from 'chai';
import { commandKey, type Command } from './action.ts';
import { decide } from './decide.ts';
import { allWell, groupView, held, NOW, rw, taken, two, writer } from './testing/group.ts';
import { fenced, firstSlots, hour, moved, newWriter, proof, silent, table } from './testing/group-cases.ts';
import type { CommandOutcome } from './view.ts';

describe('decisions: planned moves', () => {
  const done: Command[] = [firstSlots];
  const checkpoint: Command = { do: 'checkpoint', on: rw };
  const asked = { kind: 'switchover', id: 'r', by: 'Ada' } as const;
  const to3 = { ...asked, target: '3' };
  const accepted = { ...to3, acceptedEpoch: 5 };
  const draining = ['1', '2', '3'].map(id => ({ id, follows: 'ro' as const, isLeaving: id === '1' }));
  /** The RW was last heard 100 ms ago. */
  const endedAt = (moment: number): CommandOutcome[] => [
    { key: commandKey(firstSlots, held, 'settings'), state: 'done' },
    { key: commandKey(checkpoint, held, 'settings'), state: 'done', endedAt: moment },
  ];
  const since = (at: number) => ({ request: { id: asked.id, at } });
  const lagging = [writer({ senders: [] }), ...allWell.slice(1)];
  table([
    ['accepted: checkpoint first', { request: accepted, done }, ['checkpoint 1', 'SwitchoverPreparing']],
    ['then the revoke', { request: accepted, done: [...done, checkpoint] }, ['revoke']],
    [
      'not by what the RW said before its end',
      { request: accepted, memory: since(NOW - 200), commands: endedAt(NOW - 50) },
      ['SwitchoverPreparing'],
    ],
    [
      'one that was made before the request is none: the RW has said nothing of members since',
      { request: accepted, memory: since(NOW - 200), commands: endedAt(NOW - 250) },
      ['checkpoint 1', 'SwitchoverPreparing'],
    ],
    [
      'by what it said after it',
      { request: accepted, memory: since(NOW - 200), commands: endedAt(NOW - 150) },
      ['revoke'],
    ],
    [
      'nor is one of long ago for a drain',
      { instances: draining, commands: endedAt(NOW - 60_000) },
      ['checkpoint 1', 'SwitchoverPreparing'],
    ],
    ['a drain neither', { instances: draining, commands: endedAt(NOW - 50) }, ['SwitchoverPreparing']],
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
    [
      'no RW that could hand over',
      { request: to3, record: fenced, reports: [], memory: { request: { id: 'r', at: hour } } },
      'refused NoWriter',
    ],
    ['no RW, for a moment', { request: to3, record: fenced, reports: [] }, undefined],
    [
      'of a cluster that is stopped',
      {
        request: to3,
        wanted: 'stopped',
        published: undefined,
        record: fenced,
        reports: [],
        memory: { request: { id: 'r', at: hour } },
      },
      'refused NoWriter',
    ],
    [
      'while the record is of another cluster',
      { request: to3, record: { ...held, clusterUid: 'x' }, memory: { request: { id: 'r', at: hour } } },
      'refused NoWriter',
    ],
    [
      'accepted, and the RW falls silent for good',
      { request: accepted, reports: [writer(silent)], memory: { request: { id: 'r', at: hour } } },
      'failed NoWriter',
    ],
    [
      'accepted and on its way',
      { request: accepted, record: fenced, reports: [], memory: { request: { id: 'r', at: hour } } },
      undefined,
    ],
    [
      'accepted, the checkpoint took all the time',
      { request: accepted, done: [firstSlots, checkpoint], memory: { request: { id: 'r', at: hour } } },
      undefined,
    ],
    [
      'force for an unknown instance',
      { request: { ...to3, kind: 'force', target: '9' }, reports: [] },
      'refused TargetUnknown',
    ],
    [
      'force, and the instance is taken away',
      {
        request: { ...accepted, kind: 'force', target: '9' },
        record: taken({ members: [], k: 0, fence: proof }),
        reports: [],
      },
      'failed TargetUnknown',
    ],
    ['force beside a working RW', { request: { ...asked, kind: 'force' } }, 'refused WriterAvailable'],
    ['force', { request: { ...asked, kind: 'force' }, reports: [] }, 'accepted Forced'],
  ] as const) {
    it(`request: ${what}`, () => {
      const { request } = decide(groupView(changes));
      expect(request && `${request.outcome} ${request.reason}`).to.equal(expected);
    });
  }
});
