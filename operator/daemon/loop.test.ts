import { expect } from 'chai';
import * as fc from 'fast-check';
import { FakeClock, settle } from '../kube/testing/fake-clock.ts';
import { silentLogger } from '../kube/testing/support.ts';
import { Loop, type Job, type JobResult, type LoopState } from './loop.ts';

const TIMING = { periodMs: 60_000, limitMs: 10_000, retryMs: 1_000, firstWithinMs: 2_000 };

/** A job whose runs end when the test says so. */
class ManualJob implements Job {
  readonly name = 'ports';
  readonly runs: { signal: AbortSignal; end: (result?: JobResult) => void; fail: (error: Error) => void }[] = [];
  active = 0;
  mostActive = 0;

  run(signal: AbortSignal): Promise<JobResult> {
    this.active++;
    this.mostActive = Math.max(this.mostActive, this.active);
    const work = new Promise<JobResult>((resolve, reject) => {
      this.runs.push({ signal, end: (result = { message: 'done' }) => resolve(result), fail: reject });
    });
    return work.finally(() => this.active--);
  }

  get last(): ManualJob['runs'][number] {
    return this.runs.at(-1)!;
  }
}

describe('Loop', () => {
  let clock: FakeClock;
  let job: ManualJob;
  let loop: Loop;
  let states: LoopState[];
  beforeEach(() => {
    clock = new FakeClock();
    job = new ManualJob();
    states = [];
    const onChange = (state: LoopState): void => void states.push(state);
    loop = new Loop({ job, timing: TIMING, clock, random: () => 0.5, log: silentLogger, onChange });
  });

  const first = async (): Promise<void> => {
    loop.start();
    await clock.advance(1_000);
  };
  const end = async (): Promise<void> => {
    job.last.end();
    await settle();
  };
  const fail = async (text: string): Promise<void> => {
    job.last.fail(new Error(text));
    await settle();
  };

  it('runs soon after its start, and again a period after each end', async () => {
    await first();
    expect(job.runs).to.have.length(1);
    await clock.advance(5_000);
    await end();
    await clock.advance(59_999);
    expect(job.runs).to.have.length(1);
    await clock.advance(1);
    expect(job.runs).to.have.length(2);
  });

  it('tells when it ran, how long, and what it said', async () => {
    await first();
    expect(loop.state).to.deep.include({ isRunning: true, failures: 0 });
    await clock.advance(5_000);
    await end();
    const start = Date.UTC(2026, 0, 1);
    expect(loop.state).to.deep.include({
      isRunning: false,
      lastStart: new Date(start + 1_000),
      lastSuccess: new Date(start + 6_000),
      lastDurationMs: 5_000,
      result: { message: 'done' },
      error: undefined,
    });
    expect(states.map(state => state.isRunning)).to.deep.equal([true, false]);
  });

  /** Waits after one failure after the other, ms. */
  async function waitsOf(failures: number): Promise<number[]> {
    const waits: number[] = [];
    for (let n = 1; n <= failures; n++) {
      await fail(`no ${n}`);
      expect(loop.state).to.deep.include({ failures: n, error: `no ${n}` });
      const failed = clock.now();
      const known = job.runs.length;
      while (job.runs.length === known) await clock.advance(500);
      waits.push(clock.now() - failed);
    }
    return waits;
  }

  it('waits five minutes at most after a failure, however long its period is', async () => {
    const timing = { ...TIMING, periodMs: 6 * 3_600_000, retryMs: 60_000 };
    loop = new Loop({ job, timing, clock, random: () => 0.5, log: silentLogger });
    await first();
    expect(await waitsOf(5)).to.deep.equal([60_000, 120_000, 240_000, 300_000, 300_000]);
  });

  it('waits longer after each failure, never longer than a period, and is as before after a success', async () => {
    await first();
    expect(await waitsOf(8)).to.deep.equal([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    await end();
    expect(loop.state).to.deep.include({ failures: 0, error: undefined });
  });

  it('calls a run off that takes too long, waits for its end, and shows as stuck meanwhile', async () => {
    await first();
    await clock.advance(10_000);
    expect(job.last.signal.aborted).to.equal(true);
    expect(loop.state).to.deep.include({ isRunning: true, isStuck: true, error: 'did not end within 10000 ms' });
    await clock.advance(3_600_000);
    expect(job.runs).to.have.length(1);
    await fail('some inner word');
    expect(loop.state).to.deep.include({ isStuck: false, failures: 1, error: 'did not end within 10000 ms' });
    await clock.advance(1_000);
    expect(job.runs).to.have.length(2);
  });

  it('runs at once when asked to; one run answers all who asked before it began', async () => {
    await first();
    const during = [loop.now(), loop.now()];
    const answered: LoopState[] = [];
    for (const one of during) void one.then(state => answered.push(state));
    await end();
    expect(answered, 'a run that had begun before says nothing of what was asked later').to.have.length(0);
    await clock.advance(0);
    expect(job.runs).to.have.length(2);
    await fail('no');
    expect(answered.map(state => state.error)).to.deep.equal(['no', 'no']);
  });

  it('keeps a request that comes before it starts', async () => {
    const asked = loop.now();
    loop.start();
    await clock.advance(0);
    await end();
    expect(await asked).to.deep.include({ result: { message: 'done' } });
  });

  it('stops: no further run, the one under way called off and waited for', async () => {
    await first();
    const stopped = loop.stop(5_000);
    expect(job.last.signal.aborted).to.equal(true);
    await end();
    expect(await stopped).to.equal(true);
    await clock.advance(600_000);
    expect(job.runs).to.have.length(1);
    expect(clock.pending).to.equal(0);
  });

  it('stops without waiting for ever', async () => {
    await first();
    const asked = loop.now();
    const stopped = loop.stop(5_000);
    await clock.advance(5_000);
    expect(await stopped).to.equal(false);
    expect(await asked).to.deep.include({ isRunning: true });
  });

  it('never overlaps and answers every request, whatever happens in whatever order', async () => {
    const acts = fc.array(
      fc.oneof(
        fc.constantFrom('now' as const, 'end' as const, 'fail' as const),
        fc.integer({ min: 0, max: 100_000 }).map(ms => ({ ms })),
      ),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(acts, async list => {
        clock = new FakeClock();
        job = new ManualJob();
        loop = new Loop({ job, timing: TIMING, clock, random: () => 0.5, log: silentLogger });
        loop.start();
        let open = 0;
        for (const act of list) {
          if (typeof act === 'object') await clock.advance(act.ms);
          else if (act === 'now') {
            open++;
            void loop.now().then(() => open--);
          } else if (job.active > 0) await (act === 'end' ? end() : fail('no'));
        }
        for (let n = 0; n < 2; n++) {
          await clock.advance(60_000);
          if (job.active > 0) await end();
        }
        await clock.advance(0);
        expect(job.mostActive).to.be.at.most(1);
        expect(open).to.equal(0);
        await loop.stop(0);
      }),
      { numRuns: 200 },
    );
  });
});
