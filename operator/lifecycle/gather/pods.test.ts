import { expect } from 'chai';
import { podWith, running, waiting } from '../../kinds/testing/pods.ts';
import { isReady, obstacle } from './pods.ts';

describe('why a pod does not run', () => {
  const name = 'pod orders-1001-1002';
  const unscheduled = { type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' };
  for (const [what, pod, reason, message] of [
    ['it runs', podWith({ containerStatuses: [running] }), undefined, undefined],
    ['nothing is known yet', podWith({}), 'PodStarting', `${name} is starting`],
    ['usual steps', podWith({ containerStatuses: [waiting('PodInitializing')] }), 'PodStarting', `${name} is starting`],
    ['no node', podWith({ conditions: [unscheduled] }), 'PodUnscheduled', `${name}: 0/3 nodes are available`],
    [
      'no node, and nobody says why',
      podWith({ conditions: [{ type: 'PodScheduled', status: 'False' }] }),
      'PodUnscheduled',
      `${name}: no node fits`,
    ],
    [
      'an image that is not there',
      podWith({ containerStatuses: [waiting('ImagePullBackOff', 'not found')] }),
      'PodFailing',
      `${name}, container engine: ImagePullBackOff: not found`,
    ],
    [
      'an init container that fails',
      podWith({ initContainerStatuses: [{ ...waiting('CrashLoopBackOff'), name: 'install-agent' }] }),
      'PodFailing',
      `${name}, container install-agent: CrashLoopBackOff`,
    ],
  ] as const) {
    it(what, () => expect(obstacle(pod)).to.deep.equal(reason && { reason, message }));
  }
});

it('is ready only by its condition', () => {
  const ready = podWith({ conditions: [{ type: 'Ready', status: 'True' }] });
  expect([isReady(ready), isReady(podWith({ phase: 'Running' }))]).to.deep.equal([true, false]);
});
