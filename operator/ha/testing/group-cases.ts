import { expect } from 'chai';
import type { Command } from '../action.ts';
import { decide } from '../decide.ts';
import type { HeardReport } from '../evidence.ts';
import { createRecord } from '../record.ts';
import {
  follower,
  full,
  groupView,
  held,
  inWords,
  NOW,
  rw,
  taken,
  three,
  two,
  writer,
  type GroupChanges,
} from './group.ts';
import { AT, UID } from './samples.ts';

export const crashed: HeardReport['engine'] = { state: 'crashed', role: 'rw', acceptsWrites: false };
export const off: HeardReport['engine'] = { state: 'stopped', acceptsWrites: false };
export const blank = { state: 'blank' } as const;
export const silent = { heardAt: NOW - 1600 };
export const cut = { receiver: { streaming: false } };
export const silentRw = [writer(silent), follower(two, cut), follower(three)];
export const proof = { incarnation: rw, epoch: 6, rung: 1, evidence: 'it says so', at: AT } as const;
export const fenced = taken({ fence: proof });
/** Instance 2 was granted after instance 1 in epoch 6, on timeline 2. */
export const moved = {
  ...fenced,
  former: undefined,
  holder: two,
  grant: held.grant,
  members: full(three),
  generation: 4,
};
export const newWriter = writer({
  ...follower(two),
  askedAtEpoch: 6,
  highestEpoch: 6,
  engine: { state: 'running', role: 'rw', acceptsWrites: true },
  position: { timeline: 2, lsn: 1000n },
  quorum: { generation: 4, members: [three], k: 1, isInEffect: true },
  senders: [],
});
export const slots: Command = { do: 'slots', on: two, instances: ['1', '3'] };
export const firstSlots: Command = { do: 'slots', on: rw, instances: ['2', '3'] };
export const fresh = {
  record: createRecord(UID),
  established: false,
  leader: { since: 0, term: 1 },
  published: undefined,
};
export const share: GroupChanges = { topology: 'share', isStreaming: true };
export const standReady: GroupChanges = { topology: 'share', isStreaming: false };
export const alone = { ...held, members: [], k: 0 };
export const ready = { engine: { state: 'held', role: 'ro', acceptsWrites: false } } as const;
export const hour = NOW - 3_600_000;

export function table(
  cases: readonly (readonly [what: string, changes: GroupChanges, expected: readonly string[]])[],
): void {
  for (const [what, changes, expected] of cases) {
    it(what, () => expect(inWords(decide(groupView(changes)))).to.deep.equal(expected));
  }
}
