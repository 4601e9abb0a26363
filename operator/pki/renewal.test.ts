import { expect } from 'chai';
import { createCa } from './ca.ts';
import { DAY_MS, type KeyedCertificate } from './keys.ts';
import { issueLeaf } from './leaf.ts';
import { decideLeaf, type LeafView } from './renewal.ts';

const now = new Date('2026-01-02T03:04:05Z');
const subject = { part: 'agent', name: 'orders-1' };
const sans = ['orders-rw.shop.svc', '10.0.0.1', 'fd00:0:0::0001'];

describe('renewal of a leaf', () => {
  let good: LeafView;
  let other: KeyedCertificate;
  let otherCa: KeyedCertificate;

  before(async () => {
    const ca = await createCa({ now });
    otherCa = await createCa({ now });
    const leaf = await issueLeaf(ca, { subject, sans }, { now });
    other = await issueLeaf(otherCa, { subject, sans }, { now });
    const bundle = ca.certificate;
    good = { stored: { ...leaf, bundle }, subject, sans, ca: ca.certificate, bundle, now };
  });

  const stored = (changes: Partial<NonNullable<LeafView['stored']>>): LeafView => ({
    ...good,
    stored: { ...good.stored!, ...changes },
  });
  const later = (days: number): LeafView => ({ ...good, now: new Date(now.getTime() + days * DAY_MS) });

  for (const [what, view, expected] of [
    ['good', () => good, 'keep'],
    [
      'names in another order and form',
      () => ({ ...good, sans: ['FD00::1', '10.0.0.1', 'Orders-RW.shop.svc'] }),
      'keep',
    ],
    ['nothing stored', () => ({ ...good, stored: undefined }), 'Missing'],
    ['certificate that is none', () => stored({ certificate: 'x' }), 'Unparsable'],
    ['key that is none', () => stored({ key: 'x' }), 'Unparsable'],
    ['key of another', () => stored({ key: other.key }), 'KeyMismatch'],
    ['issued by another authority', () => stored(other), 'OtherAuthority'],
    ['another authority signs now', () => ({ ...good, ca: otherCa.certificate }), 'OtherAuthority'],
    ['another part', () => ({ ...good, subject: { ...subject, part: 'operator' } }), 'SubjectDiffers'],
    ['a name more', () => ({ ...good, sans: [...sans, 'new.example'] }), 'NamesDiffer'],
    ['a name less', () => ({ ...good, sans: sans.slice(1) }), 'NamesDiffer'],
    ['another address', () => ({ ...good, sans: [sans[0]!, '10.0.0.2', sans[2]!] }), 'NamesDiffer'],
    ['clock before its begin', () => later(-2), 'NotYetValid'],
    ['a third and a day left', () => later(90 - 31.4), 'keep'],
    ['less than a third left', () => later(90 - 30.3), 'Expiring'],
    ['expired', () => later(91), 'Expiring'],
    ['another bundle', () => ({ ...good, bundle: good.bundle + otherCa.certificate }), 'rewrite'],
  ] as const) {
    it(`${what}: ${expected}`, () => {
      const verdict = decideLeaf(view());
      expect(verdict.action === 'reissue' ? verdict.reason : verdict.action).to.equal(expected);
    });
  }
});
