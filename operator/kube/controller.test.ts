import { expect } from 'chai';
import { Controller, type ControllerMetrics, type ControllerOptions, type Run } from './controller.ts';
import { KubeError } from './errors.ts';
import type { Outcome } from './queue.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';
import { silentLogger } from './testing/support.ts';

const conflict = new KubeError({ status: 409, reason: 'Conflict', message: 'overtaken' });

describe('controller', () => {
  let clock: FakeClock;
  let results: string[];
  let lines: string[];
  const metrics: ControllerMetrics = {
    controller: () => ({
      events: {},
      measured: run => async key => {
        const outcome = await run(key).catch((error: unknown) => {
          results.push('error');
          throw error;
        });
        results.push(outcome ? 'requeue_after' : 'success');
        return outcome;
      },
    }),
  };

  function controller(
    reconcile: (key: string, run: Run) => Promise<Outcome>,
    options: Partial<ControllerOptions> = {},
  ): Controller {
    const log = {
      ...silentLogger,
      debug: (message: string) => lines.push(`debug ${message}`),
      error: (message: string) => lines.push(`error ${message}`),
    };
    const made = new Controller({ name: 'test', reconcile, log, metrics, clock, random: () => 0.5, ...options });
    made.open();
    return made;
  }

  beforeEach(() => {
    clock = new FakeClock();
    results = [];
    lines = [];
  });

  for (const [what, outcome, result, level, runsIn10s] of [
    ['done', undefined, 'success', undefined, 1],
    ['look again', { requeueAfterMs: 4_000 }, 'requeue_after', undefined, 3],
    ['an error', new Error('boom'), 'error', 'error', 8],
    ['a conflict', conflict, 'error', 'debug', 8],
    ['an error for good', new Error('final'), 'error', 'error', 1],
  ] as const) {
    it(`${what}: ${result}, ${runsIn10s} runs in 10 s`, async () => {
      const made = controller(() => (outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome)), {
        isTerminal: error => (error as Error).message === 'final',
        backoff: { baseMs: 50, maxMs: 5_000 },
      });
      made.enqueue('ns/a');
      await clock.advance(10_000);
      expect(new Set(results)).to.deep.equal(new Set([result]));
      expect(results.length).to.equal(runsIn10s);
      expect(lines[0]?.split(' ')[0]).to.equal(level);
    });
  }

  it('a run that takes too long is called off, and its key stays taken until it ends', async () => {
    const signals: AbortSignal[] = [];
    let end: () => void = () => undefined;
    const made = controller(
      (_key, { signal }) => {
        signals.push(signal);
        return new Promise(resolve => (end = () => resolve(undefined)));
      },
      { timeoutMs: 1_000 },
    );
    made.enqueue('a');
    await clock.advance(1_000);
    made.enqueue('a');
    await settle();
    expect([lines, signals.map(signal => signal.aborted)]).to.deep.equal([
      ['error reconcile takes too long, calling it off'],
      [true],
    ]);
    end();
    await settle();
    expect(signals.map(signal => signal.aborted)).to.deep.equal([true, false]);
  });

  it('lost leadership calls runs off, is no error, and what was interrupted runs again with the next', async () => {
    const made = controller(
      (_key, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('called off')))),
    );
    made.enqueue('a');
    await settle();
    made.abort();
    await clock.advance(60_000);
    expect(lines).to.deep.equal(['debug reconcile was overtaken, looking again']);
    made.open();
    await settle();
    made.abort();
    await settle();
    expect(results.length).to.equal(2);
  });

  it('is back within two seconds after the server was down for ten minutes', async () => {
    const down = new KubeError({ status: 0, reason: 'Network', message: 'down' });
    let isDown = true;
    const made = controller(() => (isDown ? Promise.reject(down) : Promise.resolve(undefined)));
    made.enqueue('a');
    await clock.advance(600_000);
    expect(results.length).to.be.lessThan(420);
    isDown = false;
    results = [];
    await clock.advance(2_000);
    expect(results).to.deep.equal(['success']);
  });

  it('marks a programming error as a bug, and tries it again all the same', async () => {
    const seen: unknown[] = [];
    const log = { ...silentLogger, error: (_message: string, meta?: object) => seen.push(meta) };
    const made = controller(() => Promise.reject(new TypeError('x is undefined')), { log });
    made.enqueue('a');
    await clock.advance(100);
    expect(seen.length).to.be.greaterThan(1);
    expect(seen[0]).to.deep.include({ isBug: true });
  });

  it('every line of a run names controller, key and run', async () => {
    const seen: unknown[] = [];
    const log = { ...silentLogger, info: (_message: string, meta?: object) => seen.push(meta) };
    const made = controller(
      (_key, run) => {
        run.log.info('hello', { step: 's' });
        return Promise.resolve(undefined);
      },
      { log },
    );
    made.enqueue('ns/a');
    await settle();
    expect(seen[0]).to.deep.include({ controller: 'test', key: 'ns/a', step: 's' });
    expect(seen[0]).to.have.property('run').with.length(8);
  });
});
