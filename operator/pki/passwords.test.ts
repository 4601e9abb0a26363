import { expect } from 'chai';
import { newPassword } from './passwords.ts';

describe('passwords', () => {
  it('have the length asked for, 32 else, and need no quoting anywhere', () => {
    for (const [password, length] of [
      [newPassword(), 32],
      [newPassword(24), 24],
      [newPassword(128), 128],
    ] as const) {
      expect(password).to.have.length(length);
      expect(password).to.match(/^[A-HJ-NP-Za-km-z2-9]+$/);
      expect(encodeURIComponent(password)).to.equal(password);
    }
  });

  it('use every letter equally often: bytes that would favour some are thrown away', () => {
    const counts = new Map<string, number>();
    // Each of the 256 bytes once, then again.
    let next = 0;
    const random = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => next++ % 256);
    for (let i = 0; i < 57; i++) for (const it of newPassword(128, random)) counts.set(it, (counts.get(it) ?? 0) + 1);
    expect([...counts.values()]).to.deep.equal(Array<number>(57).fill(128));
  });

  it('differ', () =>
    expect(new Set(Array.from({ length: 1000 }, () => newPassword(24)))).to.have.property('size', 1000));

  for (const length of [0, 23, 129, NaN]) {
    it(`are refused with ${length} characters`, () => expect(() => newPassword(length)).to.throw(RangeError));
  }
});
