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
  let timeouts: number;
  const metrics: ControllerMetrics = {
    registered: () => undefined,
    reconciled: (_name, { result, isPanic }) => results.push(isPanic ? `${result}, panic` : result),
    timedOut: () => timeouts++,
    load: () => undefined,
    queued: () => undefined,
    retried: () => undefined,
    waited: () => undefined,
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
    timeouts = 0;
  });

  for (const [what, outcome, result, level, runsIn10s] of [
    ['done', undefined, 'success', undefined, 1],
    ['look again', { requeueAfterMs: 4_000 }, 'requeue_after', undefined, 3],
    ['an error', new Error('boom'), 'error', 'error', 8],
    ['a programming error', new TypeError('x is undefined'), 'error, panic', 'error', 8],
    ['a conflict', conflict, 'requeue', 'debug', 8],
    ['an error for good', new RangeError('final'), 'terminal, panic', 'error', 1],
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
    expect([timeouts, signals.map(signal => signal.aborted)]).to.deep.equal([1, [true]]);
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
    expect(results).to.deep.equal(['requeue']);
    made.open();
    await settle();
    made.abort();
    await settle();
    expect(results).to.deep.equal(['requeue', 'requeue']);
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
