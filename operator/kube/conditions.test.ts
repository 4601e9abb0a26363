import { expect } from 'chai';
import { isConditionTrue, setConditions, type Condition, type ConditionUpdate } from './conditions.ts';

const then = '2026-01-01T00:00:00Z';
const now = new Date('2026-02-02T10:20:30.456Z');
const same: ConditionUpdate = { type: 'Ready', status: 'True', reason: 'AllUp', message: 'm' };
const ready: Condition = { ...same, lastTransitionTime: then };
const foreign: Condition = { ...ready, type: 'Foreign' };

describe('conditions', () => {
  it('are given back as they are when nothing changes', () => {
    const list = [foreign, ready];
    expect(setConditions(list, [same], now)).to.equal(list);
    expect(setConditions(list, [{ ...same, observedGeneration: undefined }], now)).to.equal(list);
    expect(setConditions(list, [], now)).to.equal(list);
  });

  for (const [what, update, time] of [
    ['a new reason keeps the time', { ...same, reason: 'Other' }, then],
    ['a new generation keeps the time', { ...same, observedGeneration: 4 }, then],
    ['a new status moves it', { ...same, status: 'False' as const }, '2026-02-02T10:20:30Z'],
  ] as const) {
    it(what, () => {
      const result = setConditions([foreign, ready], [update], now);
      expect(result).to.deep.equal([foreign, { ...update, lastTransitionTime: time }]);
    });
  }

  it('are added behind the others', () => {
    expect(setConditions(undefined, [same], now)).to.deep.equal([
      { ...ready, lastTransitionTime: '2026-02-02T10:20:30Z' },
    ]);
    expect(setConditions([foreign], [same], now).map(condition => condition.type)).to.deep.equal(['Foreign', 'Ready']);
  });

  it('Unknown and absent are not true', () => {
    expect(isConditionTrue([ready], 'Ready')).to.equal(true);
    expect(isConditionTrue([{ ...ready, status: 'Unknown' }], 'Ready')).to.equal(false);
    expect(isConditionTrue(undefined, 'Ready')).to.equal(false);
  });
});
