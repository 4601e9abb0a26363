import { expect } from 'chai';
import type { Command } from './action.ts';
import { followers } from './followers.ts';
import type { HeardReport } from './evidence.ts';
import type { Seen } from './sight.ts';
import { decide } from './decide.ts';
import type { GroupRecord } from './record.ts';
import { formatIncarnation } from './incarnation.ts';
import { AT, inc } from './testing/samples.ts';
import {
  follower,
  full,
  groupView,
  held,
  inWords,
  NOW,
  rw,
  three,
  two,
  writer,
  type GroupChanges,
} from './testing/group.ts';

const slots = (...instances: string[]): Command => ({ do: 'slots', on: rw, instances });
const streams = (...members: (typeof two)[]) =>
  writer({ senders: members.map(incarnation => ({ incarnation, state: 'streaming' })) });
const silent = { heardAt: NOW - 60_000 };
const down = { engine: { state: 'crashed', acceptsWrites: false } } as const;

/** The slots that the RW is told to have; undefined when it is not told. */
function slotsOf(changes: GroupChanges): readonly string[] | undefined {
  const view = groupView(changes);
  const recorded = view.recorded!;
  const seen: Seen = { ...view, ...recorded, recorded };
  const found = followers(seen).find(command => command.do === 'slots');
  return found?.do === 'slots' ? found.instances : undefined;
}

describe('slots of members', () => {
  const cases: [string, GroupChanges, readonly string[] | undefined][] = [
    ['all members', { reports: [streams(), follower(two), follower(three)] }, ['2', '3']],
    ['a silent member keeps its own: it needs the log', { reports: [streams(three), follower(three)] }, ['2', '3']],
    ['they are made once', { reports: [streams(two)], done: [slots('2', '3')] }, undefined],
  ];
  const share: typeof cases = [
    ['all members that are up', { reports: [streams(), follower(two), follower(three)] }, ['2', '3']],
    ['not one that is silent', { reports: [streams(three), follower(two, silent), follower(three)] }, ['3']],
    ['one that is silent and streams', { reports: [streams(two, three), follower(two, silent)] }, ['2', '3']],
    ['not one whose engine is down', { reports: [streams(three), follower(two, down), follower(three)] }, ['3']],
    ['none when all are gone', { reports: [streams()], done: [slots('2', '3')] }, []],
    [
      'one that came back, though its slot was made before',
      { reports: [streams(three), follower(two), follower(three)], done: [slots('2', '3'), slots('3')] },
      ['2', '3'],
    ],
  ];
  for (const [what, changes, wanted] of cases)
    it(`with a volume each: ${what}`, () => expect(slotsOf(changes)).to.deep.equal(wanted));
  for (const [what, changes, wanted] of share)
    it(`on one volume: ${what}`, () => expect(slotsOf({ topology: 'share', ...changes })).to.deep.equal(wanted));
});

describe('a follower of the RW that gets nothing', () => {
  const cut = { receiver: { streaming: false } };
  const long = NOW - 10_000;
  const lsn = 1000n;
  const since = (moment: number, at = lsn): GroupChanges['memory'] => ({
    astray: new Map([[formatIncarnation(three), { since: moment, lsn: at }]]),
  });
  const reports = [writer(), follower(two), follower(three, cut)];
  const restart: Command = { do: 'restart', on: three, since: long };
  const done = [slots('2', '3')];
  const cases: [string, GroupChanges, readonly string[]][] = [
    ['for a moment', { reports, done, memory: since(NOW - 9_000) }, []],
    ['for long: its engine is restarted', { reports, done, memory: since(long) }, ['restart 3']],
    ['once', { reports, done: [...done, restart], memory: since(long) }, []],
    [
      'the next time again',
      { reports, done: [...done, { ...restart, since: long - 1 }], memory: since(long) },
      ['restart 3'],
    ],
    ['that still reads its own log', { reports, done, memory: since(long, 900n) }, []],
    [
      'while it comes up',
      {
        reports: [
          ...reports.slice(0, 2),
          follower(three, { receiver: undefined, engine: { ...reports[2]!.engine, state: 'starting' } }),
        ],
        done,
        memory: since(long),
      },
      [],
    ],
    [
      'of another RW',
      {
        reports: [...reports.slice(0, 2), follower(three, { ...cut, plan: { role: 'ro', upstream: two } })],
        done,
        memory: since(long),
      },
      ['start 3'],
    ],
    ['and streams again', { reports: [...reports.slice(0, 2), follower(three)], done, memory: since(long) }, []],
  ];
  for (const [what, changes, expected] of cases) {
    it(what, () => {
      const said = inWords(decide(groupView({ ...changes, record: { ...held, members: full(two) } })));
      expect(said.filter(it => it.endsWith('3'))).to.deep.equal(expected);
    });
  }
});

describe('a follower that was the RW before', () => {
  const fenced: GroupRecord = {
    ...held,
    fence: { incarnation: inc('3', 'pod-3', 'before'), epoch: 4, rung: 1, evidence: 'stopped', at: AT },
  };
  const checkpoint: Command = { do: 'checkpoint', on: rw };
  /** Its receiver has just ended; its last checkpoint was on the timeline before. */
  const reports = [
    writer({ position: { timeline: 5, lsn: 1000n } }),
    follower(two),
    follower(three, { receiver: { streaming: false }, position: { timeline: 4, lsn: 1000n } }),
  ];
  const saidOf = (members: typeof held.members, changes: Partial<HeardReport> = {}): string[] => {
    const said = [...reports.slice(0, 2), { ...reports[2]!, ...changes }];
    const view = groupView({ record: { ...fenced, members }, reports: said, done: [slots('2', '3'), checkpoint] });
    return inWords(decide(view)).filter(it => it.endsWith('3'));
  };

  it('is rewound', () => expect(saidOf(full(two))).to.deep.equal(['rejoin 3']));

  const inE: [string, GroupRecord['members'], Partial<HeardReport>][] = [
    ['an acknowledged row may be on it alone', full(two, three), {}],
    ['whatever its engine says', full(two, three), { needsRejoin: true }],
    ['as it was before its container came up again', full(two, inc('3', 'pod-3', 'before')), { needsRejoin: true }],
  ];
  for (const [what, members, changes] of inE)
    it(`stays as it is while it stands in E: ${what}`, () => expect(saidOf(members, changes)).to.deep.equal([]));

  const idle = { plan: { role: 'stopped' }, engine: { state: 'stopped', acceptsWrites: false } } as const;
  it('that was rewound is started: where there was nothing to do, its data names the former timeline still', () => {
    expect(saidOf(full(two), { ...idle, isRewound: true })).to.deep.equal(['start 3']);
    expect(saidOf(full(two), idle)).to.deep.equal(['rejoin 3']);
  });
  it('that was rewound and does not fit all the same is copied', () => {
    expect(saidOf(full(two), { isRewound: true, needsRejoin: true })).to.deep.equal(['rejoin 3']);
  });
});

describe('a follower whose start has not come to its end', () => {
  const starting = (changes: Parameters<typeof follower>[1]) =>
    follower(three, {
      receiver: undefined,
      position: undefined,
      engine: { state: 'starting', acceptsWrites: false },
      task: { kind: 'start', state: 'running', phase: 'start' },
      ...changes,
    });
  const cases: [string, ReturnType<typeof follower>, readonly string[]][] = [
    ['is left alone', starting({}), []],
    ['of another RW: it is started anew', starting({ plan: { role: 'ro', upstream: two } }), ['start 3']],
    ['says that its history has parted', starting({ needsRejoin: true }), ['rejoin 3']],
    [
      'is being copied',
      starting({ needsRejoin: true, task: { kind: 'rejoin', state: 'running', phase: 'Copying' } }),
      [],
    ],
  ];
  for (const [what, report, expected] of cases) {
    it(what, () => {
      const done: Command[] = [slots('2', '3'), { do: 'checkpoint', on: rw }];
      const reports = [writer(), follower(two), report];
      const said = inWords(decide(groupView({ record: { ...held, members: full(two) }, reports, done })));
      expect(said.filter(it => it.endsWith('3'))).to.deep.equal(expected);
    });
  }
});
