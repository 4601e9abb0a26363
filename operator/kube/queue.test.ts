import { expect } from 'chai';
import fc from 'fast-check';
import { KeyedQueue, type Outcome, type QueueOptions } from './queue.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';

/** A queue whose runs are ended by the test. */
function harness(options: Partial<QueueOptions> = {}) {
  const clock = new FakeClock();
  const runs: { key: string; at: number; end: (outcome?: Outcome) => void; fail: () => void }[] = [];
  const queue = new KeyedQueue({
    run: key =>
      new Promise<Outcome>((resolve, reject) =>
        runs.push({ key, at: clock.now(), end: resolve, fail: () => reject(new Error('failed')) }),
      ),
    clock,
    random: () => 0.5,
    ...options,
  });
  queue.open();
  return { clock, runs, queue, keys: () => runs.map(run => run.key) };
}

describe('keyed queue', () => {
  it('runs different keys side by side, up to the number of workers, in order', async () => {
    const { queue, runs, keys } = harness({ workers: 2 });
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    expect(keys()).to.deep.equal(['a', 'b']);
    runs[1]!.end();
    await settle();
    expect(keys()).to.deep.equal(['a', 'b', 'c']);
    expect([queue.depth, queue.active]).to.deep.equal([1, 2]);
  });

  it('runs a key that was added during its run once more, however often it was added', async () => {
    const { queue, runs, keys } = harness();
    queue.add('a');
    for (let n = 0; n < 5; n++) queue.add('a');
    expect(keys()).to.deep.equal(['a']);
    runs[0]!.end();
    await settle();
    runs[1]!.end();
    await settle();
    expect(keys()).to.deep.equal(['a', 'a']);
  });

  it('a slow key does not hold up others', async () => {
    const { queue, runs, keys } = harness({ workers: 2 });
    queue.add('slow');
    queue.add('b');
    runs[1]!.end();
    await settle();
    queue.add('c');
    expect(keys()).to.deep.equal(['slow', 'b', 'c']);
  });

  it('of several dates the earliest counts, and a run uses up the others', async () => {
    const { queue, runs, clock } = harness();
    queue.addAfter('a', 5_000);
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 9_000);
    await clock.advance(20_000);
    expect(runs.map(run => run.at)).to.deep.equal([1_000]);
    expect(clock.pending).to.equal(0);
  });

  it('looks again when the run said so', async () => {
    const { queue, runs, clock } = harness();
    queue.add('a');
    runs[0]!.end({ requeueAfterMs: 300 });
    await clock.advance(1_000);
    expect(runs.map(run => run.at)).to.deep.equal([0, 300]);
  });

  it('repeats failures with growing waits up to the limit, and forgets them after a success', async () => {
    const { queue, runs, clock } = harness({ backoff: () => ({ baseMs: 100, maxMs: 1_000 }) });
    queue.add('a');
    for (let n = 0; n < 6; n++) {
      runs.at(-1)!.fail();
      await clock.advance(n < 5 ? 100 * 2 ** n : 1_000);
    }
    expect(runs.map(run => run.at)).to.deep.equal([0, 100, 300, 700, 1_500, 2_500, 4_100]);
    runs.at(-1)!.end();
    await clock.advance(10_000);
    const before = runs.length;
    queue.add('a');
    runs.at(-1)!.fail();
    await clock.advance(100);
    expect(runs.length).to.equal(before + 2);
  });

  it('an event brings a failing key forward to a second after its failure, not less', async () => {
    const { queue, runs, clock } = harness({ backoff: () => ({ baseMs: 10_000, maxMs: 60_000 }) });
    queue.add('a');
    queue.add('a');
    runs[0]!.fail();
    await clock.advance(999);
    queue.add('a');
    expect(runs.length).to.equal(1);
    await clock.advance(1);
    expect(runs.length).to.equal(2);
  });

  it('takes keys while closed and runs them when opened', async () => {
    const { queue, runs } = harness();
    expect(await queue.close(10)).to.equal(true);
    queue.add('a');
    expect(runs.length).to.equal(0);
    queue.open();
    expect(runs.length).to.equal(1);
  });

  it('closing waits for what runs, starts nothing more, and says when it took too long', async () => {
    const { queue, runs, clock } = harness({ workers: 1 });
    queue.add('a');
    queue.add('b');
    const late = queue.close(1_000);
    await clock.advance(1_000);
    expect(await late).to.equal(false);
    const inTime = queue.close(1_000);
    runs[0]!.end();
    expect(await inTime).to.equal(true);
    expect(runs.length).to.equal(1);
  });

  it('keeps nothing of keys that are done', async () => {
    const { queue, runs, clock } = harness({ workers: 1_000 });
    for (let n = 0; n < 500; n++) queue.add(`key-${n}`);
    for (const run of runs) run.end({ requeueAfterMs: 60_000 });
    await settle();
    queue.clear();
    expect([clock.pending, queue.depth, queue.active]).to.deep.equal([0, 0, 0]);
  });

  it('property: one key never runs twice at once, no change is missed, workers are never exceeded', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(actions, { maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        async (script, workers) => {
          const play = new Play(workers);
          for (const one of script) await play.perform(one);
          await play.finish();
        },
      ),
      { numRuns: 200 },
    );
  });
});

const someKey = fc.integer({ min: 0, max: 4 }).map(String);
const actions = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key: someKey }),
  fc.record({ do: fc.constant('later' as const), key: someKey, ms: fc.nat(500) }),
  fc.record({ do: fc.constant('end' as const), failed: fc.boolean(), pick: fc.nat() }),
  fc.record({ do: fc.constant('time' as const), ms: fc.nat(2_000) }),
);
type Action = typeof actions extends fc.Arbitrary<infer A> ? A : never;

/** Plays a script of actions and checks the promises of the queue after each. */
class Play {
  readonly #harness: ReturnType<typeof harness>;
  readonly #workers: number;
  readonly #open = new Set<ReturnType<typeof harness>['runs'][number]>();
  readonly #changedAt = new Map<string, number>();
  readonly #seenAt = new Map<string, number>();
  #known = 0;
  #step = 0;

  constructor(workers: number) {
    this.#workers = workers;
    this.#harness = harness({ workers });
  }

  async perform(action: Action): Promise<void> {
    this.#step++;
    if (action.do === 'end') await this.#end(action.pick, action.failed);
    else if (action.do === 'time') await this.#harness.clock.advance(action.ms);
    else this.#change(action.key, action.do === 'later' ? action.ms : 0);
    this.#observe();
  }

  async finish(): Promise<void> {
    const { clock, queue } = this.#harness;
    while (this.#open.size > 0 || clock.pending > 0 || queue.depth > 0) {
      await this.perform({ do: 'end', failed: false, pick: 0 });
      await this.perform({ do: 'time', ms: 60_000 });
    }
    for (const [key, at] of this.#changedAt) expect(this.#seenAt.get(key) ?? -1, `key ${key}`).to.be.at.least(at);
  }

  #change(key: string, ms: number): void {
    this.#changedAt.set(key, this.#step);
    this.#harness.queue.addAfter(key, ms);
  }

  async #end(pick: number, failed: boolean): Promise<void> {
    const run = [...this.#open][pick % Math.max(this.#open.size, 1)];
    if (!run) return;
    this.#open.delete(run);
    if (failed) run.fail();
    else run.end();
    await settle();
  }

  #observe(): void {
    for (const run of this.#harness.runs.slice(this.#known)) {
      expect([...this.#open].some(other => other.key === run.key)).to.equal(false);
      this.#open.add(run);
      expect(this.#open.size).to.be.at.most(this.#workers);
      this.#seenAt.set(run.key, this.#step);
    }
    this.#known = this.#harness.runs.length;
  }
}
