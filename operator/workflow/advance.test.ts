import { expect } from 'chai';
import fc from 'fast-check';
import { advance, backoffMs, begin, cancel, defaultPolicy, pauseMs, resume, settle } from './advance.ts';
import type { Outcome } from './advance.ts';
import { alignWith, currentStep, emptyRecord } from './record.ts';
import type { OperationRecord, StepRecord } from './record.ts';
import { defineFlow, done, NO_LIMIT, wait } from './step.ts';
import type { Step } from './step.ts';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const at = (seconds: number, jitter = 0.5) => ({ now: T0 + seconds * 1000, jitter });
const time = (seconds: number): string => new Date(T0 + seconds * 1000).toISOString();
const named = (name: string, critical = false): Step<object> => ({
  name,
  critical,
  run: () => Promise.resolve(done()),
});
const flow = defineFlow('create', [named('Prepare'), named('Promote', true), named('Publish')]);
const fresh = alignWith(emptyRecord, flow);

const failed = (message = 'boom'): Outcome => ({ kind: 'failed', verdict: 'retry', reason: 'StepFailed', message });
const standing = (step: Partial<StepRecord>, phase: OperationRecord['phase'] = 'Running'): OperationRecord => ({
  ...fresh,
  phase,
  startedAt: time(0),
  steps: [{ name: 'Prepare', state: 'Running', attempts: 1, startedAt: time(0), ...step }, ...fresh.steps.slice(1)],
});
const waitingSince = (seconds: number): OperationRecord =>
  advance(standing({}), wait('PodStarting', 'pod a is starting'), at(seconds), defaultPolicy);

describe('begin: what is announced before a step runs', () => {
  it('announces the first attempt', () => {
    const record = begin(fresh, at(5).now);
    expect(record).to.include({ phase: 'Running', startedAt: time(5) });
    expect(record.steps[0]).to.deep.equal({ name: 'Prepare', state: 'Running', attempts: 1, startedAt: time(5) });
  });

  it('counts the next attempt after a failed one', () => {
    const record = begin(standing({ state: 'Retrying', attempts: 3, until: time(1) }), at(5).now);
    expect(record.steps[0]).to.deep.equal({ name: 'Prepare', state: 'Running', attempts: 4, startedAt: time(0) });
  });

  for (const state of ['Running', 'Waiting'] as const) {
    it(`changes nothing for a step that was left ${state}: a restart is no attempt`, () => {
      const record = standing({ state });
      expect(begin(record, at(5).now)).to.equal(record);
    });
  }
});

describe('advance: what the journal says after a step ran', () => {
  it('done: the step is closed, its data kept, the operation goes on', () => {
    const record = advance(standing({}), done({ port: '5400' }), at(2), defaultPolicy);
    expect(record).to.deep.include({ phase: 'Running', data: { port: '5400' } });
    expect(record.steps[0]).to.include({ state: 'Succeeded', finishedAt: time(2) });
    expect(currentStep(record)?.name).to.equal('Promote');
  });

  it('done of the last step ends the operation', () => {
    const last = {
      ...standing({ state: 'Succeeded' }),
      steps: [{ name: 'Prepare', state: 'Running', attempts: 1 } as const],
    };
    expect(advance(last, done(), at(9), defaultPolicy)).to.include({ phase: 'Succeeded', finishedAt: time(9) });
  });

  it('a wait shows its reason in step and operation, with the end of its patience', () => {
    const record = waitingSince(10);
    expect(record).to.include({ phase: 'Waiting', reason: 'PodStarting', message: 'pod a is starting' });
    expect(record.steps[0]).to.include({ state: 'Waiting', attempts: 1, until: time(610) });
  });

  it('the same wait again changes nothing at all', () => {
    const record = waitingSince(10);
    expect(advance(record, wait('PodStarting', 'pod a is starting'), at(300), defaultPolicy)).to.equal(record);
  });

  it('a new message of the same reason is shown and keeps the limit', () => {
    const record = advance(waitingSince(10), wait('PodStarting', 'pulling image'), at(300), defaultPolicy);
    expect(record.steps[0]).to.include({ message: 'pulling image', until: time(610) });
  });

  for (const [what, next] of [
    ['another reason', wait('EngineStarting', 'recovery')],
    ['progress', wait('PodStarting', 'pod a is starting', { progress: '40 %' })],
  ] as const) {
    it(`${what} starts the limit anew`, () => {
      expect(advance(waitingSince(10), next, at(300), defaultPolicy).steps[0]).to.include({ until: time(900) });
    });
  }

  it("the step's own limit goes before the policy's", () => {
    const record = advance(standing({}), { ...wait('A', 'b'), limitMs: 5_000 }, at(0), defaultPolicy);
    expect(record.steps[0]?.until).to.equal(time(5));
  });

  it('a wait that a person or a host ends has no end in time, and none shows', () => {
    const endless = (now: number, record = standing({})) =>
      advance(record, { ...wait('PodUnscheduled', 'no room'), limitMs: NO_LIMIT }, at(now), defaultPolicy);
    const first = endless(0);
    expect(first.steps[0]).to.deep.include({ state: 'Waiting', reason: 'PodUnscheduled', until: undefined });
    expect(endless(20 * 365 * 86_400, first)).to.equal(first);
    const dated = { ...first, steps: [{ ...first.steps[0]!, until: '2036-01-01T00:00:00.000Z' }] };
    expect(endless(1, dated).steps[0]?.until).to.equal(undefined);
  });

  it('a wait beyond its limit is a failed attempt that keeps the reason', () => {
    const record = advance(waitingSince(10), wait('PodStarting', 'pod a is starting'), at(610), defaultPolicy);
    expect(record.steps[0]).to.include({
      state: 'Retrying',
      reason: 'PodStarting',
      message: 'pod a is starting (no progress within 600 s)',
    });
  });

  it('a failed attempt waits for its back-off', () => {
    const record = advance(standing({ attempts: 3 }), failed(), at(0), defaultPolicy);
    expect(record).to.include({ phase: 'Waiting', reason: 'StepFailed', message: 'attempt 3 of 10 failed: boom' });
    expect(record.steps[0]).to.include({ state: 'Retrying', attempts: 3, until: time(4) });
    expect(pauseMs(record, at(1).now)).to.equal(3_000);
    expect(pauseMs(record, at(4).now)).to.equal(0);
  });

  it('the tenth failed attempt interrupts, with the last error', () => {
    const record = advance(standing({ attempts: 10 }), failed(), at(0), defaultPolicy);
    expect(record).to.include({ phase: 'Interrupted', reason: 'MANY_RETRY', component: 'Prepare' });
    expect(record.message).to.equal('10 attempts failed, the last one: boom');
    expect(record.advice).to.contain('resume');
    expect(record.finishedAt).to.equal(undefined);
  });

  for (const [verdict, phase, finishedAt] of [
    ['fail', 'Failed', time(3)],
    ['interrupt', 'Interrupted', undefined],
  ] as const) {
    it(`verdict ${verdict} ends the first attempt as ${phase}, with component and advice`, () => {
      const outcome: Outcome = {
        kind: 'failed',
        verdict,
        reason: 'NO_AVAILABLE_NODE',
        message: 'all 3 nodes are cordoned',
        component: 'pod a',
        advice: 'uncordon a node',
      };
      const record = advance(standing({}), outcome, at(3), defaultPolicy);
      expect(record).to.include({ phase, reason: 'NO_AVAILABLE_NODE', message: 'all 3 nodes are cordoned' });
      expect(record).to.include({ component: 'pod a', advice: 'uncordon a node' });
      expect(record.finishedAt).to.equal(finishedAt);
    });
  }

  it('keeps no novel', () => {
    const record = advance(standing({}), failed('x'.repeat(5_000)), at(0), defaultPolicy);
    expect(record.steps[0]?.message).to.have.length(1024);
  });
});

describe('back-off', () => {
  it('grows to its cap and stays within 10 % of it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempts, jitter) => {
        const plain = Math.min(1_000 * 2 ** (attempts - 1), 60_000);
        expect(backoffMs(attempts, jitter, defaultPolicy)).to.be.within(plain * 0.9 - 1, plain * 1.1 + 1);
      }),
    );
  });
});

describe('cancel', () => {
  const promoting = advance(standing({}), done(), at(1), defaultPolicy);
  for (const [what, record, phase] of [
    ['a queued operation', fresh, 'Cancelled'],
    ['one that runs', standing({}), 'Cancelled'],
    ['one that waits', waitingSince(0), 'Cancelled'],
    ['one before a critical step', promoting, 'Running'],
    ['one that is interrupted in a critical step', { ...promoting, phase: 'Interrupted' as const }, 'Cancelled'],
    ['one that is finished', { ...fresh, phase: 'Succeeded' as const }, 'Succeeded'],
  ] as const) {
    it(`${what} is ${phase}`, () => expect(cancel(record, flow, at(7).now).phase).to.equal(phase));
  }

  it('a queued operation may begin with a critical step', () => {
    const critical = defineFlow('switch', [named('Demote', true)]);
    expect(cancel(alignWith(emptyRecord, critical), critical, T0)).to.include({
      phase: 'Cancelled',
      finishedAt: time(0),
    });
  });
});

describe('resume', () => {
  it('queues with fresh counters and keeps what is done', () => {
    const done1 = advance(standing({}), done({ id: '7' }), at(1), defaultPolicy);
    const stuck = { ...done1, phase: 'Interrupted' as const, reason: 'MANY_RETRY', advice: 'x', component: 'y' };
    const failedStep = { name: 'Promote', state: 'Failed' as const, attempts: 10, startedAt: time(1), message: 'm' };
    const record = resume({ ...stuck, steps: [stuck.steps[0]!, failedStep, stuck.steps[2]!] });
    expect(record.phase).to.equal('Pending');
    expect(record).to.not.have.any.keys('reason', 'advice', 'component', 'message');
    expect(record.data).to.deep.equal({ id: '7' });
    expect(record.steps.map(step => [step.state, step.attempts])).to.deep.equal([
      ['Succeeded', 1],
      ['Pending', 0],
      ['Pending', 0],
    ]);
  });

  for (const phase of ['Pending', 'Running', 'Waiting', 'Succeeded', 'Failed', 'Cancelled'] as const) {
    it(`leaves ${phase} alone`, () => {
      const record = standing({}, phase);
      expect(resume(record)).to.equal(record);
    });
  }
});

describe('a flow that changed with a new release', () => {
  const half = advance(standing({}), done(), at(1), defaultPolicy);

  it('goes on with the new steps, in the new order', () => {
    const newer = defineFlow('create', [named('Reserve'), named('Prepare'), named('Publish')]);
    expect(alignWith(half, newer).steps.map(step => `${step.name} ${step.state}`)).to.deep.equal([
      'Reserve Pending',
      'Prepare Succeeded',
      'Publish Pending',
    ]);
  });

  it('ends when nothing is left to do', () => {
    const shorter = alignWith(half, defineFlow('create', [named('Prepare')]));
    expect(settle(shorter, at(4).now)).to.include({ phase: 'Succeeded', finishedAt: time(4) });
  });

  it('cannot have two steps of one name', () => {
    expect(() => defineFlow('create', [named('A'), named('A')])).to.throw('two steps named A');
  });
});
