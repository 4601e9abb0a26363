import { expect } from 'chai';
import { KubeError } from './errors.ts';
import { isStoreBehind, nextProgress, START, type Met, type Phase, type Progress } from './reflector-state.ts';

const empty: Phase = { at: 'empty' };
const at7: Phase = { at: 'watching', resourceVersion: '7' };
const at9: Phase = { at: 'watching', resourceVersion: '9' };
const doubted: Phase = { ...at9, isDoubted: true };
const error = (status: number, reason = ''): KubeError => new KubeError({ status, reason, message: reason });
const failed = (what: KubeError, hasLived = false): Met => ({
  what: 'failed',
  error: what,
  resourceVersion: '9',
  hasLived,
});

describe('what follows what in a reflector', () => {
  const cases: [string, Partial<Progress>, Met, Phase, number][] = [
    ['a list is followed by a watch from its version', {}, { what: 'listed', resourceVersion: '7' }, at7, 0],
    ['a failed list is repeated after a pause', {}, failed(error(500)), empty, 1],
    ['and after a longer one', { failures: 3 }, failed(error(0)), empty, 4],
    ['a lost page token: at once, in one piece', {}, failed(error(410)), { at: 'empty', isUnpaged: true }, 0],
    ['the server ended the watch', { phase: at7 }, { what: 'ended', resourceVersion: '9', hasLived: true }, at9, 0],
    ['ended before anything came', { phase: at7 }, { what: 'ended', resourceVersion: '7', hasLived: false }, at7, 1],
    ['a reset after events: the first pause', { phase: at7, failures: 5 }, failed(error(0), true), doubted, 1],
    ['a reset without events: a longer pause', { phase: at7, failures: 5 }, failed(error(503)), doubted, 6],
    ['silence: at once, for the wait was long', { phase: at7, failures: 5 }, failed(error(0, 'Silent')), doubted, 0],
    ['too old: a new list at once', { phase: at7 }, failed(error(410)), empty, 0],
    ['too old again: after a pause', { phase: at7, gone: 1 }, failed(error(410)), empty, 1],
    ['too old for the third time: a longer one', { phase: at7, gone: 2 }, failed(error(410)), empty, 2],
    ['too old after a life: at once', { phase: at7, gone: 2 }, failed(error(410), true), empty, 0],
  ];
  for (const [what, now, met, phase, pause] of cases) {
    it(what, () => {
      const next = nextProgress({ ...START, ...now }, met);
      expect([next.progress.phase, next.pause]).to.deep.equal([phase, pause]);
    });
  }

  for (const [what, met, bound] of [
    ['nobody answers', error(0, 'Network'), 1_500],
    ['the server fails', error(503), 1_500],
    ['we may not', error(403), Infinity],
  ] as const) {
    it(`${what}: pauses up to ${bound} ms, however long it lasts`, () => {
      expect(nextProgress({ ...START, phase: at7, failures: 50 }, failed(met)).atMostMs).to.equal(bound);
    });
  }

  for (const [current, seen, expected] of [
    ['8', '9', true],
    ['9', '9', false],
    ['10', '9', false],
    ['a', '9', false],
  ] as const) {
    it(`a store at ${current} ${expected ? 'has lost' : 'has'} what was seen at ${seen}`, () => {
      expect(isStoreBehind(current, seen)).to.equal(expected);
    });
  }

  it('waits at least as long as the server asked', () => {
    const busy = new KubeError({ status: 429, reason: 'TooManyRequests', message: '', retryAfterMs: 5_000 });
    expect(nextProgress({ ...START, phase: at7 }, failed(busy)).atLeastMs).to.equal(5_000);
  });
});
