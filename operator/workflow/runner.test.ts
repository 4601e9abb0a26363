import { expect } from 'chai';
import { UserError } from '../model/errors.ts';
import { defaultPolicy } from './advance.ts';
import { InterruptError, TerminalError } from './errors.ts';
import { requestCancel, requestResume, runOnce } from './runner.ts';
import type { FlowEvent, RunEnvironment, RunResult } from './runner.ts';
import { defineFlow, done, NO_LIMIT, wait } from './step.ts';
import type { Step, StepResult, StepRun } from './step.ts';
import { MemoryJournal } from './testing/memory-journal.ts';

type Script = (run: StepRun) => StepResult;

/** A flow whose steps do what their script says at each run; the last entry repeats. */
class Stage {
  now = Date.parse('2026-01-01T00:00:00Z');
  readonly journal = new MemoryJournal();
  readonly ran: string[] = [];
  readonly events: FlowEvent[] = [];
  cancelled = false;
  /** In most cases each wait counts. */
  quietMs = 0;
  private readonly steps: Step<undefined>[] = [];

  step(name: string, scripts: Script[], options: Partial<Step<undefined>> = {}): this {
    const run = (_: undefined, info: StepRun): Promise<StepResult> => {
      this.ran.push(`${name} ${info.attempt}`);
      const script = scripts.length > 1 ? scripts.shift()! : scripts[0]!;
      return Promise.resolve().then(() => script(info));
    };
    this.steps.push({ name, run, ...options });
    return this;
  }

  get flow() {
    return defineFlow('test', this.steps);
  }

  run(): Promise<RunResult> {
    const environment: RunEnvironment = {
      operation: 'op-1',
      now: () => this.now,
      random: () => 0.5,
      policy: { ...defaultPolicy, quietMs: this.quietMs },
      isCancelled: () => this.cancelled,
      observe: event => this.events.push(event),
    };
    return runOnce(this.flow, this.journal, undefined, environment);
  }

  /** Runs until nothing is to be requeued, moving the clock. */
  async runToRest(): Promise<RunResult> {
    for (let i = 0; i < 100; i++) {
      const result = await this.run();
      if (!result.requeue) return result;
      this.now += result.requeue.afterMs;
    }
    throw new Error('no rest after 100 runs');
  }
}

const ok: Script = () => done();
const fails: Script = () => {
  throw new Error('boom');
};

describe('runner', () => {
  it('runs all steps in one go, with one write per step and one to begin', async () => {
    const stage = new Stage().step('A', [ok]).step('B', [ok]).step('C', [ok]);
    const { record, requeue } = await stage.run();
    expect(record.phase).to.equal('Succeeded');
    expect(requeue).to.equal(undefined);
    expect(stage.ran).to.deep.equal(['A 1', 'B 1', 'C 1']);
    expect(stage.journal.writes).to.equal(4);
  });

  it('gives the worker back when a step waits, and says when to come back', async () => {
    const stage = new Stage().step('A', [() => wait('PodStarting', 'p', { retryInMs: 200, wakeOn: 'pod' }), ok]);
    expect((await stage.run()).requeue).to.deep.equal({ afterMs: 200, wakeOn: 'pod' });
    expect((await stage.run()).record.phase).to.equal('Succeeded');
    expect(stage.ran).to.deep.equal(['A 1', 'A 1']);
  });

  it('comes back when something has changed, where neither wait nor step name a time', async () => {
    const stage = new Stage().step('A', [() => wait('HostOff', 'h')], { waitLimitMs: NO_LIMIT });
    expect((await stage.run()).requeue).to.deep.include({ afterMs: Infinity });
    stage.now += 20 * 365 * 86_400_000;
    expect((await stage.run()).record.phase).to.equal('Waiting');
  });

  it('comes back at the end of patience when a wait names no time', async () => {
    const stage = new Stage().step('A', [() => wait('PodStarting', 'p', { wakeOn: 'pod' })], { waitLimitMs: 5_000 });
    expect((await stage.run()).requeue).to.deep.equal({ afterMs: 5_000, wakeOn: 'pod' });
    stage.now += 5_000;
    const { record, requeue } = await stage.run();
    expect(record.steps[0]).to.include({ state: 'Retrying', attempts: 1, reason: 'PodStarting' });
    expect(requeue).to.deep.equal({ afterMs: 1_000 });
  });

  it('writes nothing for a wait that repeats', async () => {
    const stage = new Stage().step('A', [() => wait('PodStarting', 'p', { retryInMs: 10 })]);
    await stage.run();
    const { writes } = stage.journal;
    for (let i = 0; i < 5; i++) await stage.run();
    expect(stage.journal.writes).to.equal(writes);
    expect(stage.events.map(({ kind }) => kind)).to.deep.equal(['begun', 'waiting']);
  });

  it('a wait that is over soon is no write, one that lasts is told when it has lasted', async () => {
    const stage = new Stage().step('A', [() => wait('PodStarting', 'p', { wakeOn: 'pod' })]);
    stage.quietMs = 2_000;
    const { record, requeue } = await stage.run();
    expect(record.phase).to.equal('Running');
    expect(requeue).to.deep.equal({ afterMs: 2_000, wakeOn: 'pod' });
    stage.now += 1_999;
    expect((await stage.run()).requeue).to.deep.equal({ afterMs: 1, wakeOn: 'pod' });
    expect(stage.journal.writes).to.equal(1);
    stage.now += 1;
    expect((await stage.run()).record).to.include({ phase: 'Waiting', reason: 'PodStarting' });
    expect(stage.events.map(({ kind }) => kind)).to.deep.equal(['begun', 'waiting']);
  });

  it('does not run a failed step before its back-off is over', async () => {
    const stage = new Stage().step('A', [fails, ok]);
    expect((await stage.run()).requeue).to.deep.equal({ afterMs: 1_000 });
    stage.now += 400;
    expect((await stage.run()).requeue).to.deep.equal({ afterMs: 600 });
    expect(stage.ran).to.deep.equal(['A 1']);
    stage.now += 600;
    expect((await stage.run()).record.phase).to.equal('Succeeded');
    expect(stage.ran).to.deep.equal(['A 1', 'A 2']);
  });

  it('interrupts after ten failed attempts, stays so, and resumes with ten fresh ones', async () => {
    const stage = new Stage().step('A', [ok]).step('B', [fails]);
    expect((await stage.runToRest()).record).to.include({ phase: 'Interrupted', reason: 'MANY_RETRY' });
    expect(stage.ran.filter(run => run.startsWith('B'))).to.have.length(10);
    expect((await stage.run()).requeue).to.equal(undefined);
    expect(stage.ran).to.have.length(11);
    await requestResume(stage.journal);
    expect((await stage.runToRest()).record.phase).to.equal('Interrupted');
    expect(stage.ran).to.have.length(21);
    expect(stage.ran.filter(run => run.startsWith('A'))).to.have.length(1);
  });

  for (const [error, phase, reason, component] of [
    [new TerminalError('NO_SUCH_INSTANCE', 'ro-9', 'name one of 1, 2'), 'Failed', 'NO_SUCH_INSTANCE', 'ro-9'],
    [new InterruptError('POD_LOST', 'pod a', 'look at the node'), 'Interrupted', 'POD_LOST', 'pod a'],
    [
      new UserError('spec.classInfo.className', 'no class "x"'),
      'Failed',
      'INVALID_REQUEST',
      'spec.classInfo.className',
    ],
  ] as const) {
    it(`${error.name} ends the first attempt as ${phase}`, async () => {
      const stage = new Stage().step('A', [
        () => {
          throw error;
        },
      ]);
      expect((await stage.run()).record).to.include({ phase, reason, component });
      expect(stage.events.map(({ kind }) => kind)).to.deep.equal(['begun', 'failed', 'ended']);
      expect(stage.events[1]?.error).to.equal(error);
    });
  }

  it('hands on what steps keep, and the ids to make requests with', async () => {
    let seen: StepRun | undefined;
    const stage = new Stage().step('A', [() => done({ port: '5400' })]).step('B', [
      run => {
        seen = run;
        return done();
      },
    ]);
    await stage.run();
    expect(seen).to.deep.equal({ operation: 'op-1', attempt: 1, data: { port: '5400' } });
  });

  it('takes what a step throws for what it is, even if it is no Error', async () => {
    const stage = new Stage().step('A', [
      () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- a library may do it
        throw 'text';
      },
    ]);
    expect((await stage.run()).record.message).to.equal('attempt 1 of 10 failed: text');
  });

  describe('cancel', () => {
    it('stops before the next step', async () => {
      const stage = new Stage();
      const cancelled: Script = () => {
        stage.cancelled = true;
        return done();
      };
      stage.step('A', [ok]).step('B', [cancelled]).step('C', [ok]);
      const { record } = await stage.run();
      expect(record).to.include({ phase: 'Cancelled', reason: 'CANCELLED' });
      expect(record.message).to.contain('before C');
      expect(stage.ran).to.deep.equal(['A 1', 'B 1']);
      expect((await stage.run()).record.phase).to.equal('Cancelled');
      expect(stage.ran).to.have.length(2);
    });

    it('finishes critical steps first', async () => {
      const stage = new Stage();
      const cancelled: Script = () => {
        stage.cancelled = true;
        return done();
      };
      stage.step('Demote', [cancelled]).step('Promote', [ok], { critical: true }).step('Tidy', [ok]);
      expect((await stage.run()).record.message).to.contain('before Tidy');
      expect(stage.ran).to.deep.equal(['Demote 1', 'Promote 1']);
    });

    it('ends a queued operation without running it', async () => {
      const stage = new Stage().step('A', [ok]);
      expect(await requestCancel(stage.flow, stage.journal, stage.now)).to.include({ phase: 'Cancelled' });
      await stage.run();
      expect(stage.ran).to.deep.equal([]);
    });
  });

  it('does not take a journal that cannot be written for a failed attempt', async () => {
    const stage = new Stage().step('A', [ok]);
    stage.journal.save = () => Promise.reject(new Error('API server is away'));
    const error = await stage.run().catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(Error).with.property('message', 'API server is away');
    expect(stage.ran).to.deep.equal([]);
  });
});
