import { expect } from 'chai';
import type { EngineLook } from '../engine/profile.ts';
import { Readiness } from './readiness.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';

const STREAMING: EngineLook = { role: 'ro', acceptsWrites: false, streaming: true };
const ALONE: EngineLook = { role: 'ro', acceptsWrites: false, streaming: false };

/** A follower whose observer looks when it is told to. */
class Follower {
  readonly clock = new FakeClock();
  readonly supervised = { phase: 'running' as const, wanted: true, failures: 0, pid: 7 };
  looks = 0;
  #seen: EngineLook | undefined;
  #lookedAt = -Infinity;
  #waiting: (() => void)[] = [];
  readonly #readiness = new Readiness({
    profile: { serves: () => true },
    store: { now: { plan: { role: 'ro' }, settings: {} } },
    supervisor: { state: this.supervised },
    observer: this,
    clock: this.clock,
  });

  get seen() {
    return { volume: { state: 'initialized' as const }, look: this.#seen, recovery: undefined };
  }

  hasLooked = (ms: number): boolean => this.clock.ms - this.#lookedAt <= ms;
  looked = (): Promise<void> => new Promise(resolve => void this.#waiting.push(resolve));

  look = (): Promise<void> => {
    this.looks++;
    this.sees(this.#seen);
    return Promise.resolve();
  };

  sees(look: EngineLook | undefined): void {
    this.#seen = look;
    this.#lookedAt = this.clock.ms;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** What is answered, as it comes. */
  asked(): { answer: string | undefined } {
    const asked = { answer: 'none yet' as string | undefined };
    void this.#readiness.ask().then(answer => (asked.answer = answer ?? 'ready'));
    return asked;
  }
}

describe('readiness as it is told', () => {
  it('the first yes comes at once with the look that shows it', async () => {
    const follower = new Follower();
    follower.sees(ALONE);
    const asked = follower.asked();
    await follower.clock.advance(1_000);
    expect(asked.answer).to.equal('none yet');
    follower.sees(STREAMING);
    await settle();
    expect(asked.answer).to.equal('ready');
  });

  it('a first no is held back, and said before the kubelet gives up', async () => {
    const follower = new Follower();
    const asked = follower.asked();
    await settle();
    await follower.clock.advance(3_999);
    expect(asked.answer).to.equal('none yet');
    await follower.clock.advance(1);
    expect(asked.answer).to.equal('SQL does not answer in time');
  });

  it('once it was ready a no is said at once', async () => {
    const follower = new Follower();
    follower.sees(STREAMING);
    follower.asked();
    await settle();
    follower.sees(undefined);
    const asked = follower.asked();
    await settle();
    expect(asked.answer).to.equal('SQL does not answer in time');
  });

  it('a follower that has streamed stays ready until its process is another', async () => {
    const follower = new Follower();
    follower.sees(STREAMING);
    follower.asked();
    await settle();
    follower.sees(ALONE);
    const same = follower.asked();
    follower.supervised.pid = 8;
    const other = follower.asked();
    await settle();
    expect([same.answer, other.answer]).to.deep.equal(['ready', 'never streamed from the RW']);
  });

  it('what a report has just seen is good enough', async () => {
    const follower = new Follower();
    follower.sees(STREAMING);
    await follower.clock.advance(500);
    follower.asked();
    await settle();
    expect(follower.looks).to.equal(0);
    await follower.clock.advance(1);
    follower.asked();
    await settle();
    expect(follower.looks).to.equal(1);
  });
});
