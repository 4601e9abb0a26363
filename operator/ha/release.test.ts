import { expect } from 'chai';
import { recordFence } from './record.ts';
import { mayRelease, type LeavingPod } from './release.ts';
import { AT, first, granted, must, revoked } from './testing/samples.ts';

const ended: LeavingPod = { uid: 'pod-a', node: 'node-1', phase: 'Failed', isCollected: false, isHostOff: false };
const fenced = must(recordFence(revoked, { incarnation: first, epoch: 2, rung: 2, evidence: '', at: AT }));

describe('finalizer of an engine pod', () => {
  for (const [what, pod, record, expected] of [
    ['ended, of nobody', ended, undefined, true],
    ['ended, of the holder', ended, granted, false],
    ['ended, of the former holder without proof', ended, revoked, false],
    ['ended, of the former holder with proof', ended, fenced, true],
    ['ended, another pod holds', { ...ended, uid: 'pod-z' }, granted, true],
    [
      'runs on, of the former holder with proof (its engine is stopped, its agent is not)',
      { ...ended, phase: 'Running' },
      fenced,
      false,
    ],
    ['phase set by the control plane', { ...ended, isCollected: true }, undefined, false],
    ['host off', { ...ended, phase: 'Running', isHostOff: true }, undefined, true],
    ['host off, of the former holder without proof', { ...ended, phase: 'Running', isHostOff: true }, revoked, false],
    ['never ran anywhere', { ...ended, node: undefined, phase: 'Pending' }, undefined, true],
    ['not known yet', { ...ended, phase: undefined }, undefined, false],
  ] as const) {
    it(`${expected ? 'goes' : 'stays'}: ${what}`, () => expect(mayRelease(pod, record).release).to.equal(expected));
  }
});
