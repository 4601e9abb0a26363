import { expect } from 'chai';
import { hostReady, nextConditions, settingsValid, type HostConditionUpdate } from './conditions.ts';
import { JOB_NAMES, type JobName, type LoopState } from './loop.ts';

const WELL: LoopState = { isRunning: false, isStuck: false, failures: 0, lastSuccess: new Date(0) };
const loops = (over: Partial<Record<JobName, Partial<LoopState>>> = {}): Record<JobName, LoopState> =>
  Object.fromEntries(JOB_NAMES.map(name => [name, { ...WELL, ...over[name] }])) as Record<JobName, LoopState>;

describe('PolarDBHostReady', () => {
  const failing = { failures: 3, error: 'EACCES' };
  const stuck = { isStuck: true, error: 'did not end within 20000 ms' };
  for (const [what, over, is] of [
    ['all well', {}, 'True AllLoopsWork: all loops do their work'],
    ['a failure or two', { ports: { failures: 2, error: 'x' } }, 'True AllLoopsWork: all loops do their work'],
    ['one fails on', { ports: failing }, 'False LoopFailing: ports: EACCES'],
    ['two fail on', { ports: failing, logs: failing }, 'False LoopFailing: ports: EACCES; logs: EACCES'],
    ['one hangs', { ports: failing, logs: stuck }, 'False LoopStuck: logs: did not end within 20000 ms'],
    ['not through yet', { ports: { lastSuccess: undefined } }, 'Unknown LoopsStarting: not through once yet: ports'],
    ['a first clean-up takes long', { logs: { lastSuccess: undefined } }, 'True AllLoopsWork: all loops do their work'],
  ] as const) {
    it(what, () => {
      const { status, reason, message } = hostReady(loops(over));
      expect(`${status} ${reason}: ${message}`).to.equal(is);
    });
  }
});

it('PolarDBSettingsValid names map and key', () => {
  const problem = { map: 'ccm-config', key: 'NET_CARD_NAME', message: '"a b" is no card', remedy: '' };
  expect(settingsValid([])).to.include({ status: 'True', reason: 'SettingsAccepted' });
  expect(settingsValid([problem])).to.include({
    status: 'False',
    reason: 'SettingsInvalid',
    message: 'ccm-config NET_CARD_NAME: "a b" is no card',
  });
});

describe('nextConditions', () => {
  const up: HostConditionUpdate = { type: 'NodeClientIP', status: 'True', reason: 'bond1', message: '10.0.0.5' };
  const start = new Date('2026-01-01T00:00:00.500Z');
  const later = new Date('2026-01-01T00:01:00Z');
  const [first] = nextConditions([], [up], start).conditions;

  it('begins a condition', () =>
    expect(nextConditions([], [up], start)).to.deep.equal({
      conditions: [{ ...up, lastHeartbeatTime: '2026-01-01T00:00:00Z', lastTransitionTime: '2026-01-01T00:00:00Z' }],
      isNews: true,
    }));

  it('moves the time of a transition with the status alone', () => {
    const next = (over: Partial<HostConditionUpdate>) => nextConditions([first!], [{ ...up, ...over }], later);
    expect(next({}).isNews).to.equal(false);
    for (const [over, time] of [
      [{}, '2026-01-01T00:00:00Z'],
      [{ message: '10.0.0.6' }, '2026-01-01T00:00:00Z'],
      [{ reason: 'bond0' }, '2026-01-01T00:00:00Z'],
      [{ status: 'False' }, '2026-01-01T00:01:00Z'],
    ] as const) {
      const { conditions, isNews } = next(over);
      expect(conditions[0]).to.include({ lastTransitionTime: time, lastHeartbeatTime: '2026-01-01T00:01:00Z' });
      expect(isNews).to.equal(Object.keys(over).length > 0);
    }
  });

  it('takes away what is not said any more, and leaves those of others alone', () => {
    const others = { type: 'Ready', status: 'True' };
    expect(nextConditions([first!, others], [up], later).isNews).to.equal(false);
    expect(nextConditions([first!, others], [], later)).to.deep.equal({ conditions: [], isNews: true });
  });
});
