import { expect } from 'chai';
import { missingOfCluster, missingOfDeployment, missingOfPod } from './judge.ts';
import type { Cluster, Deployment, Pod } from './objects.ts';

const available = { type: 'Available', status: 'True' };

describe('what is missing of the operator', () => {
  const deployment = (status: Deployment['status']): Deployment => ({
    metadata: { generation: 2 },
    spec: { replicas: 2 },
    status,
  });
  const rolledOut = { observedGeneration: 2, updatedReplicas: 2, replicas: 2, conditions: [available] };

  for (const [what, object, missing] of [
    ['nothing there', undefined, 'it is not there yet'],
    ['no status', deployment(undefined), 'its change is not seen yet'],
    ['an older generation', deployment({ ...rolledOut, observedGeneration: 1 }), 'its change is not seen yet'],
    ['one of two', deployment({ ...rolledOut, updatedReplicas: 1 }), '1 of 2 replicas are of the new version'],
    ['an old one left', deployment({ ...rolledOut, replicas: 3 }), '1 of the former version are ending'],
    ['none ready', deployment({ ...rolledOut, conditions: [] }), 'no replica is ready'],
    ['all well', deployment(rolledOut), undefined],
  ] as const) {
    it(what, () => expect(missingOfDeployment(object)).to.equal(missing));
  }
});

describe('what is missing of a database cluster', () => {
  const cluster = (status?: Cluster['status'], deletionTimestamp?: string): Cluster => ({
    metadata: { name: 'c', namespace: 'n', generation: 1, deletionTimestamp },
    spec: { followerNum: 2 },
    status,
  });
  const ready = (status: string) => ({
    type: 'Ready',
    status,
    reason: 'PodStarting',
    message: 'pod c-1-2 is starting',
  });
  const operation = { name: 'c-create', type: 'create', step: 'StartPods' };

  for (const [what, object, missing] of [
    ['nothing there', undefined, 'it is not there yet'],
    ['not looked at', cluster(), 'the operator has not seen it yet'],
    ['going away', cluster({ observedGeneration: 1, conditions: [ready('True')] }, 'now'), 'it is being deleted'],
    [
      'Ready for an older spec',
      cluster({ observedGeneration: 0, conditions: [ready('True')] }),
      'the operator has not seen it yet',
    ],
    [
      'in a step',
      cluster({ observedGeneration: 1, conditions: [ready('False')], operation }),
      'create, step StartPods: PodStarting: pod c-1-2 is starting',
    ],
    [
      'between steps',
      cluster({ observedGeneration: 1, conditions: [ready('False')] }),
      'PodStarting: pod c-1-2 is starting',
    ],
    ['without a verdict', cluster({ observedGeneration: 1 }), 'Unknown: the operator has not judged it yet'],
    ['Ready', cluster({ observedGeneration: 1, conditions: [ready('True')] }), undefined],
  ] as const) {
    it(what, () => expect(missingOfCluster(object)).to.equal(missing));
  }
});

describe('what is missing of a pod', () => {
  const pod = (status: Pod['status'], deletionTimestamp?: string): Pod => ({
    metadata: { name: 'p', deletionTimestamp },
    spec: {},
    status,
  });
  const waiting = {
    name: 'engine',
    ready: false,
    restartCount: 0,
    state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } },
  };
  const ended = {
    name: 'engine',
    ready: false,
    restartCount: 3,
    state: { terminated: { reason: 'Error', exitCode: 1 } },
  };

  for (const [what, object, missing] of [
    ['ready', pod({ conditions: [{ type: 'Ready', status: 'True' }] }), undefined],
    ['leaving', pod({ conditions: [{ type: 'Ready', status: 'True' }] }, 'now'), 'is stopping'],
    ['no node', pod({ conditions: [{ type: 'PodScheduled', status: 'False', message: 'no volume' }] }), 'no volume'],
    ['no image', pod({ containerStatuses: [waiting] }), 'engine: ErrImagePull: no such image'],
    ['ended', pod({ containerStatuses: [ended] }), 'engine: ended (Error)'],
    ['running only', pod({ phase: 'Running' }), 'Running, not ready'],
  ] as const) {
    it(what, () => expect(missingOfPod(object)).to.equal(missing));
  }
});
