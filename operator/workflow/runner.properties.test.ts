import { expect } from 'chai';
import fc from 'fast-check';
import { isFinished } from './record.ts';
import type { OperationRecord } from './record.ts';
import { runOnce } from './runner.ts';
import { defineFlow, done, wait } from './step.ts';
import type { Step, StepResult, StepRun } from './step.ts';
import { MemoryJournal } from './testing/memory-journal.ts';

/** What a step does at one of its runs; `crash...` ends the process before or after its effect. */
type Act = 'wait' | 'waitOther' | 'waitWithProgress' | 'fail' | 'crashBefore' | 'crashAfter';
type Scripts = readonly (readonly Act[])[];

const MAX_ATTEMPTS = 3;
const policy = { maxAttempts: MAX_ATTEMPTS, firstBackoffMs: 10, maxBackoffMs: 50, waitLimitMs: 100, quietMs: 20 };

class Crash extends Error {}

/** Crashes the process at given saves: before it reaches the journal, or after it without an answer. */
class CrashingJournal extends MemoryJournal {
  readonly history: OperationRecord[] = [];
  readonly violations: unknown[] = [];
  isDead = false;
  private readonly crashes: ('before' | 'after' | 'none')[];

  constructor(crashes: readonly ('before' | 'after' | 'none')[]) {
    super();
    this.crashes = [...crashes];
  }

  override async save(next: OperationRecord, base: OperationRecord): Promise<void> {
    if (this.isDead) throw new Crash();
    const crash = this.crashes.shift() ?? 'none';
    this.isDead = crash !== 'none';
    if (crash === 'before') throw new Crash();
    await super.save(next, base);
    this.history.push(this.record);
    if (crash === 'after') throw new Crash();
  }
}

/** The steps of a script, each of which checks at its own run that the rules of the journal hold. */
function stepsOf(scripts: Scripts, journal: CrashingJournal, effects: string[]): Step<undefined>[] {
  const left = scripts.map(script => [...script]);
  return scripts.map((_, i) => ({
    name: `S${i}`,
    run: (_ctx: undefined, run: StepRun): Promise<StepResult> => {
      checkAtRun(i, run);
      return Promise.resolve().then(() => act(left[i]!.shift(), `S${i}`));
    },
  }));

  /** Kept beside the flow: the runner would take a failed expectation for a failed attempt. */
  function checkAtRun(i: number, run: StepRun): void {
    try {
      const { steps, phase } = journal.record;
      expect(steps[i], 'announced before it runs').to.include({ attempts: run.attempt });
      expect(steps[i]?.state).to.be.oneOf(['Running', 'Waiting']);
      expect(phase).to.be.oneOf(['Running', 'Waiting']);
      expect(run.attempt).to.be.within(1, MAX_ATTEMPTS);
      steps.slice(0, i).forEach(({ state }) => expect(state, 'in order').to.equal('Succeeded'));
      steps.slice(0, i).forEach(({ name }) => expect(run.data[name], 'data of earlier steps').to.equal('kept'));
    } catch (error) {
      journal.violations.push(error);
    }
  }

  function act(what: Act | undefined, name: string): StepResult {
    if (what === 'fail') throw new Error('boom');
    if (what === 'wait') return wait('Some', 'thing', { retryInMs: 7 });
    if (what === 'waitOther') return wait('Other', 'thing', { wakeOn: 'it' });
    if (what === 'waitWithProgress') return wait('Some', 'thing', { retryInMs: 7, progress: `${journal.writes}` });
    if (what !== 'crashBefore') effects.push(name);
    if (what) {
      journal.isDead = true;
      throw new Crash();
    }
    return done({ [name]: 'kept' });
  }
}

const acts = fc.constantFrom<Act>('wait', 'waitOther', 'waitWithProgress', 'fail', 'crashBefore', 'crashAfter');
const scripts = fc.array(fc.array(acts, { maxLength: 8 }), { minLength: 1, maxLength: 4 });
const saveCrashes = fc.array(fc.constantFrom('none' as const, 'none' as const, 'before' as const, 'after' as const), {
  maxLength: 20,
});

describe('runner, for any sequence of outcomes, crashes and restarts', () => {
  it('keeps the rules of the journal and comes to its end', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, saveCrashes, async (script, crashes) => {
        const journal = new CrashingJournal(crashes);
        const effects: string[] = [];
        const flow = defineFlow('any', stepsOf(script, journal, effects));
        const record = await liveToRest(flow, journal);
        checkHistory(journal.history);
        if (record.phase === 'Succeeded')
          expect([...new Set(effects)]).to.deep.equal(flow.steps.map(step => step.name));
        else expect(record).to.include({ phase: 'Interrupted', reason: 'MANY_RETRY' });
      }),
      { numRuns: 300 },
    );
  });

  it('counts exactly the attempts that failed when nothing crashes', async () => {
    const failures = fc.array(fc.integer({ min: 0, max: MAX_ATTEMPTS }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(failures, async counts => {
        const journal = new CrashingJournal([]);
        const script = counts.map(count => Array<Act>(count).fill('fail'));
        const record = await liveToRest(defineFlow('any', stepsOf(script, journal, [])), journal);
        const stuck = counts.findIndex(count => count >= MAX_ATTEMPTS);
        const reached = stuck < 0 ? counts : counts.slice(0, stuck + 1);
        const expected = reached.map(count => Math.min(count + 1, MAX_ATTEMPTS));
        expect(record.steps.slice(0, reached.length).map(step => step.attempts)).to.deep.equal(expected);
        expect(record.phase).to.equal(stuck < 0 ? 'Succeeded' : 'Interrupted');
      }),
      { numRuns: 100 },
    );
  });
});

/** Runs and restarts until nothing is left to do; no sequence above needs more rounds than the bound. */
async function liveToRest(flow: ReturnType<typeof defineFlow<undefined>>, journal: CrashingJournal) {
  let now = 1_000_000;
  for (let round = 0; round < 200; round++) {
    journal.isDead = false;
    const environment = { operation: 'op', now: () => now, random: () => 0.5, policy };
    const result = await runOnce(flow, journal, undefined, environment).catch((error: unknown) => {
      if (error instanceof Crash) return undefined;
      throw error;
    });
    if (journal.violations.length > 0) throw journal.violations[0];
    if (result && !result.requeue) return result.record;
    now += result?.requeue?.afterMs ?? 1;
  }
  throw new Error('no end after 200 rounds');
}

function checkHistory(history: readonly OperationRecord[]): void {
  history.forEach((record, i) => {
    const before = history[i - 1];
    if (!before) return;
    expect(isFinished(before), 'nothing is written after the end').to.equal(false);
    expect(record, 'no write without a change').to.not.deep.equal(before);
    before.steps.forEach((step, n) => {
      if (step.state === 'Succeeded') expect(record.steps[n], 'done stays done').to.deep.equal(step);
      expect(record.steps[n]!.attempts).to.be.at.least(step.attempts);
    });
  });
}
