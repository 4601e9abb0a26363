import { expect } from 'chai';
import { runOnce } from '../runner.ts';
import { defineFlow, done, wait } from '../step.ts';
import { atEveryCrashPoint } from './crash-points.ts';
import type { CrashGate, CrashOptions, CrashPoint, CrashScenario } from './crash-points.ts';
import { MemoryJournal } from './memory-journal.ts';

/** Makes two objects, the second one named by the journal; the API is a set. */
class World {
  readonly journal = new MemoryJournal();
  readonly objects = new Set<string>();
}

const make = async (context: Context, name: string): Promise<void> => {
  await context.gate.before(`create ${name}`);
  if (context.world.objects.has(name)) throw new Error(`${name} is there already`);
  context.world.objects.add(name);
};

interface Context {
  world: World;
  gate: CrashGate;
}

const flow = (looksFirst: boolean) =>
  defineFlow<Context>('make', [
    {
      name: 'Volume',
      async run(context) {
        if (looksFirst && context.world.objects.has('volume')) return done({ pod: 'pod-1' });
        await make(context, 'volume');
        return looksFirst ? wait('VolumeBinding', 'volume is new', { retryInMs: 1 }) : done({ pod: 'pod-1' });
      },
    },
    {
      name: 'Pod',
      async run(context, run) {
        if (!context.world.objects.has(run.data.pod!)) await make(context, run.data.pod!);
        return done();
      },
    },
  ]);

const live =
  (looksFirst: boolean) =>
  async (world: World, gate: CrashGate): Promise<void> => {
    const journal = {
      load: () => gate.before('load').then(() => world.journal.load()),
      save: (...args: Parameters<MemoryJournal['save']>) => gate.before('save').then(() => world.journal.save(...args)),
    };
    let now = 0;
    const environment = { operation: 'op', now: () => now, random: () => 0.5 };
    for (;;) {
      const { record, requeue } = await runOnce(flow(looksFirst), journal, { world, gate }, environment);
      if (!requeue) {
        expect(record.phase).to.equal('Succeeded');
        return;
      }
      now += requeue.afterMs;
    }
  };

const check = (world: World): void => {
  expect([...world.objects]).to.deep.equal(['volume', 'pod-1']);
};

describe('crash-point harness', () => {
  it('kills before each call once, and the rest is brought to its end', async () => {
    const seen: (CrashPoint | undefined)[] = [];
    const { points } = await atEveryCrashPoint({
      world: () => new World(),
      live: live(true),
      check: (world, point) => {
        seen.push(point);
        check(world);
      },
    });
    expect(points.map(({ number, call }) => `${number} ${call}`)).to.deep.equal([
      '1 load',
      '2 save',
      '3 create volume',
      '4 load',
      '5 save',
      '6 create pod-1',
      '7 save',
    ]);
    expect(seen).to.deep.equal([...points, undefined]);
  });

  it('finds a step that guesses that it never ran before', async () => {
    const error = await failure({ world: () => new World(), live: live(false), check });
    expect(error).to.contain('killed before call 4 (save)');
  });

  it('names the point at which it goes wrong', async () => {
    const forgetful = async (world: { made: number }, gate: CrashGate): Promise<void> => {
      await gate.before('create pod');
      world.made++;
      await gate.before('save');
    };
    const once = (world: { made: number }): void => {
      expect(world.made).to.equal(1);
    };
    expect(await failure({ world: () => ({ made: 0 }), live: forgetful, check: once })).to.equal(
      'killed before call 2 (save): expected 2 to equal 1',
    );
  });

  it('runs nothing of a dead controller: no catch, no finally, no further call', async () => {
    const done: string[] = [];
    const stubborn = async (lives: { count: number }, gate: CrashGate): Promise<void> => {
      const life = ++lives.count;
      try {
        await gate.before('call');
      } finally {
        done.push(`life ${life}`);
      }
    };
    await atEveryCrashPoint({ world: () => ({ count: 0 }), live: stubborn, check: () => undefined });
    expect(done).to.deep.equal(['life 2', 'life 1']);
  });

  it('tells the dead and the ended that their life is over', async () => {
    const signals: AbortSignal[] = [];
    const waits = async (_: object, gate: CrashGate): Promise<void> => {
      signals.push(gate.signal);
      await gate.before('call');
    };
    await atEveryCrashPoint({ world: () => ({}), live: waits, check: () => undefined });
    expect(signals.map(({ aborted }) => aborted)).to.deep.equal([true, true, true]);
  });

  it('does not wait for ever for a life that hangs, nor for one that never needs fewer calls', async () => {
    const hangs = { world: () => ({}), live: () => new Promise<void>(() => undefined), check: () => undefined };
    expect(await failure(hangs, { limitMs: 5 })).to.contain('not at its end after 5 ms and 0 calls');
    const endless = async (_: object, gate: CrashGate): Promise<void> => {
      for (let i = 0; i < 50; i++) await gate.before('poll');
    };
    expect(await failure({ ...hangs, live: endless }, { maxPoints: 10 })).to.contain('after 10 calls');
  });
});

async function failure<W>(scenario: CrashScenario<W>, options?: CrashOptions): Promise<string> {
  try {
    await atEveryCrashPoint(scenario, options);
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
}
