import { expect } from 'chai';
import type { ObservedRow } from './observe.ts';
import { toFacts } from './observe.ts';

const rw: ObservedRow = {
  inRecovery: false,
  writable: true,
  lsn: '0/3000060',
  timeline: 2,
  receiverStatus: null,
  usedConninfo: null,
  usedSlot: null,
  wantedConninfo: '',
  wantedSlot: '',
  pendingRestart: [],
};
const follower: ObservedRow = {
  ...rw,
  inRecovery: true,
  writable: false,
  receiverStatus: 'streaming',
  usedConninfo: 'user=replicator host=a hostaddr=10.0.0.1 port=5432',
  usedSlot: 'slot_b',
  wantedConninfo: "host='a' hostaddr='10.0.0.1' port='5432' user='replicator'",
  wantedSlot: 'slot_b',
};

describe('what a running engine says', () => {
  it('RW', () => {
    expect(toFacts(rw, 'ro')).to.deep.equal({
      role: 'rw',
      acceptsWrites: true,
      lsn: '0/3000060',
      timeline: 2,
      pendingRestart: [],
    });
  });

  it('a follower is what it was started as', () => {
    expect([toFacts(follower, 'ro').role, toFacts(follower, 'standby').role]).to.deep.equal(['ro', 'standby']);
    expect(toFacts({ ...follower, lsn: null, timeline: null }, 'ro')).to.not.have.any.keys('lsn', 'timeline');
  });

  it('locked against writes', () => expect(toFacts({ ...rw, writable: false }, 'ro').acceptsWrites).to.equal(false));

  for (const [what, row, streaming] of [
    ['from the right RW', follower, true],
    ['no receiver', { ...follower, receiverStatus: null, usedConninfo: null, usedSlot: null }, false],
    ['still connecting', { ...follower, receiverStatus: 'starting' }, false],
    ['from the RW of before', { ...follower, usedConninfo: 'host=a hostaddr=10.0.0.9 port=5432' }, false],
    ['with the slot of before', { ...follower, usedSlot: 'slot_c' }, false],
  ] as const) {
    it(`streaming ${what}: ${streaming}`, () => expect(toFacts(row, 'ro').streaming).to.equal(streaming));
  }
});
