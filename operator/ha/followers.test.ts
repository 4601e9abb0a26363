import { expect } from 'chai';
import type { Command } from './action.ts';
import { followers } from './followers.ts';
import type { Seen } from './sight.ts';
import { follower, groupView, NOW, rw, three, two, writer, type GroupChanges } from './testing/group.ts';

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
