import { expect } from 'chai';
import type { Report } from '../agent-api/beat.ts';
import { formatIncarnation } from '../ha/incarnation.ts';
import { probesOf, silenceOf, watchedHolder } from './silence.ts';
import { granted, one, reportOf, revoked, SHARED, targetFor, two } from './testing/samples.ts';

const endpoint = { address: '10.0.0.1', port: 8443, serverName: 'orders-1001-1001' };
const heard = { incarnation: one, report: reportOf(one, { nonce: 'n7' }), at: 5_000 };
const context = { now: 6_500, silentMs: 1_500, cm: 'cm-1' };
const about = { incarnation: formatIncarnation(one), ...endpoint, since: 'n7' };

describe('silence of an RW', () => {
  for (const [what, listening, change, expected] of [
    ['begins so long after its last report', { since: 0, heard }, {}, about],
    ['does not begin before', { since: 0, heard }, { now: 6_499 }, undefined],
    ['begins without any report as long after it could be heard', { since: 5_000 }, {}, { ...about, since: 'cm-1' }],
    ['does not begin before that either', { since: 5_001 }, {}, undefined],
  ] as const) {
    it(what, () => {
      expect(silenceOf(one, { endpoint, ...listening }, { ...context, ...change })).to.deep.equal(expected);
    });
  }

  const answer = (change: object = {}): Report['probe'] => ({
    ...{ incarnation: about.incarnation, since: 'n7', reached: false },
    ...change,
  });
  for (const [what, by, probe, count] of [
    ['another member that does not reach it', two, answer(), 1],
    ['another member that does', two, answer({ reached: true }), 1],
    ['one that was asked in a silence of before', two, answer({ since: 'n6' }), 0],
    ['one that was asked about an incarnation of before', two, answer({ incarnation: 'x' }), 0],
    ['the RW about itself', one, answer(), 0],
    ['nobody', two, undefined, 0],
  ] as const) {
    it(`is witnessed by ${what}: ${count === 1}`, () => {
      const others = [{ incarnation: by, report: reportOf(by, { probe }), at: 6_000 }];
      const expected = { by, about: one, reached: probe?.reached, at: 6_000 };
      expect(probesOf(one, about, others)).to.deep.equal(count === 1 ? [expected] : []);
    });
  }
});

const members = [{ incarnation: two, pending: false }];
for (const [what, spec, record, expected] of [
  ['an RW with members', {}, { ...granted, members, k: 1 }, one],
  ['an RW without members', {}, granted, undefined],
  ['an RW whose expiry proves nothing', SHARED, { ...granted, members }, undefined],
  [
    'an RW on a shared volume whose owner takes the risk',
    { ...SHARED, ha: { unfencedFailover: 'afterExpiry' } },
    { ...granted, members },
    one,
  ],
  ['nobody', {}, revoked, undefined],
] as const) {
  it(`others are asked about ${what}: ${expected !== undefined}`, () => {
    expect(watchedHolder(targetFor(spec), record)).to.equal(expected);
  });
}
