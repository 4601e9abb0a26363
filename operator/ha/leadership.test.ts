import { expect } from 'chai';
import { mayAnswer } from './answer.ts';
import {
  LEASE_TIMES,
  mayAct,
  noAuthority,
  onWriteRefused,
  onWriteSent,
  onWriteUnanswered,
  onWritten,
} from './leadership.ts';
import { held, rw, taken, two } from './testing/group.ts';

describe('leadership', () => {
  for (const [what, leadership, now, may] of [
    ['nobody', undefined, 0, false],
    ['right after a renewal', { acquiredAt: 0, renewalSentAt: 1000 }, 1000, true],
    ['before the deadline after its sending', { acquiredAt: 0, renewalSentAt: 1000 }, 2999, true],
    ['at the deadline', { acquiredAt: 0, renewalSentAt: 1000 }, 3000, false],
  ] as const) {
    it(`may act: ${what}`, () => expect(mayAct(leadership, now)).to.equal(may));
  }

  it('ends before anybody else may begin', () => {
    expect(LEASE_TIMES.renewDeadlineMs).to.be.below(LEASE_TIMES.leaseMs - LEASE_TIMES.retryMs + 1);
  });

  const authority = onWritten(held.term);
  for (const [what, changes, may] of [
    ['the holder', {}, true],
    ['somebody else', { from: two }, false],
    ['while not leading', { isLeading: false }, false],
    ['before a term is stamped', { authority: noAuthority }, false],
    ['while its revoke is unanswered', { authority: onWriteSent(authority, 'revoke') }, false],
    ['while another write is under way', { authority: onWriteSent(authority, 'other') }, true],
    ['after a write got no answer', { authority: onWriteUnanswered() }, false],
    ['after a write was refused', { authority: onWriteRefused(onWriteSent(authority, 'revoke')) }, true],
    ['a record of another term', { authority: onWritten(held.term + 1) }, false],
    ['nobody holds the group', { record: taken() }, false],
    ['no record', { record: undefined }, false],
  ] as const) {
    it(`answers: ${what}: ${may ? 'yes' : 'no'}`, () =>
      expect(mayAnswer({ isLeading: true, authority, record: held, from: rw, ...changes })).to.equal(may));
  }
});
