import { expect } from 'chai';
import type { Silent } from '../agent-api/beat.ts';
import { jsonLog } from './log.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';
import { Witness } from './witness.ts';

const rw: Silent = { incarnation: 'rw', address: '10.0.0.1', port: 1, serverName: 's', since: 'n1' };

class Bed {
  readonly clock = new FakeClock();
  /** How a try ends; undefined: not yet. */
  ends: (() => void)[] = [];
  tries = 0;
  told = 0;
  isThere = false;
  isSlow = false;
  readonly witness = new Witness({
    me: 'me',
    silentMs: 1_500,
    reach: () => {
      this.tries++;
      const end = (): Promise<void> => (this.isThere ? Promise.resolve() : Promise.reject(new Error('no answer')));
      return this.isSlow ? new Promise<void>(resolve => this.ends.push(resolve)).then(end) : end();
    },
    told: () => this.told++,
    clock: this.clock,
    log: jsonLog(() => undefined, {}),
  });

  async ask(about: Silent | undefined): Promise<void> {
    this.witness.asked(about);
    await settle();
  }
}

describe('witness of a silent RW', () => {
  for (const isThere of [true, false]) {
    it(`says at once whether it reaches it: ${isThere}`, async () => {
      const bed = new Bed();
      bed.isThere = isThere;
      await bed.ask(rw);
      expect(bed.witness.probe).to.deep.equal({ incarnation: 'rw', since: 'n1', reached: isThere });
      expect(bed.told).to.equal(1);
    });
  }

  it('tries again with each question, and tells at once only what is new', async () => {
    const bed = new Bed();
    for (const [isThere, told] of [
      [true, 1],
      [true, 1],
      [false, 2],
    ] as const) {
      bed.isThere = isThere;
      await bed.ask(rw);
      expect([bed.witness.probe?.reached, bed.told]).to.deep.equal([isThere, told]);
    }
    expect(bed.tries).to.equal(3);
  });

  it('makes one try at a time', async () => {
    const bed = new Bed();
    bed.isSlow = true;
    for (let i = 0; i < 3; i++) await bed.ask(rw);
    expect([bed.tries, bed.witness.probe]).to.deep.equal([1, undefined]);
    bed.ends[0]!();
    await settle();
    expect(bed.witness.probe).to.deep.include({ reached: false });
  });

  it('does not answer for another silence than the one it began to try in', async () => {
    const bed = new Bed();
    bed.isSlow = true;
    await bed.ask(rw);
    await bed.ask({ ...rw, since: 'n2' });
    bed.ends[0]!();
    await settle();
    expect(bed.witness.probe).to.equal(undefined);
    bed.isSlow = false;
    await bed.ask({ ...rw, since: 'n2' });
    expect(bed.witness.probe).to.deep.include({ since: 'n2' });
  });

  it('is silent when nobody asks any more, and about itself', async () => {
    const bed = new Bed();
    await bed.ask(rw);
    await bed.ask(undefined);
    expect(bed.witness.probe).to.equal(undefined);
    await bed.ask(rw);
    await bed.clock.advance(1_499);
    expect(bed.witness.probe).to.not.equal(undefined);
    await bed.clock.advance(1);
    expect(bed.witness.probe).to.equal(undefined);
    await bed.ask({ ...rw, incarnation: 'me' });
    expect([bed.tries, bed.witness.probe]).to.deep.equal([2, undefined]);
  });
});
