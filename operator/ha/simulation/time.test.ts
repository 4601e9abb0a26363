import { expect } from 'chai';
import fc from 'fast-check';
import { VirtualTime } from './time.ts';

describe('virtual time', () => {
  it('lets things happen by time, then in the order asked for', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), delays => {
        const time = new VirtualTime();
        const seen: [number, number][] = [];
        delays.forEach((ms, i) => time.after(ms, () => seen.push([time.now, i])));
        time.runUntil(20);
        const expected = delays.map((ms, i): [number, number] => [ms, i]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(seen).to.deep.equal(expected);
      }),
    );
  });

  it('what is called off does not happen, what comes up meanwhile does', () => {
    const time = new VirtualTime();
    const seen: string[] = [];
    const cancel = time.after(5, () => seen.push('never'));
    time.after(1, () => {
      cancel();
      time.after(3, () => seen.push(`at ${time.now}`));
    });
    time.runUntil(10);
    expect(seen).to.deep.equal(['at 4']);
    expect(time.now).to.equal(10);
  });
});
