import { expect } from 'chai';
import type { Pod } from '../../kube/resources.ts';
import { isReady, obstacle, podSign, runningContainer, terminatedContainers } from './pods.ts';

type Status = NonNullable<Pod['status']>;
type Container = NonNullable<Status['containerStatuses']>[number];

const at = '2026-01-01T00:00:00Z';
const container = (change: Partial<Container>): Container => ({
  name: 'engine',
  image: 'i',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...change,
});
const waiting = (reason: string, message?: string): Container =>
  container({ state: { waiting: { reason, ...(message && { message }) } } });
const running = container({ containerID: 'containerd://a', state: { running: { startedAt: at } } });

function podWith(status: Partial<Status>, nodeName: string | undefined = 'node-1'): Pod {
  const metadata = { name: 'orders-1001-1002', namespace: 'shop', uid: 'uid-1' };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName, containers: [] }, status };
}

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

describe('where a container runs and ran', () => {
  it('is known when kubelet and scheduler have said it all', () => {
    const known = { containerId: 'containerd://a', startedAt: at, node: 'node-1' };
    expect(runningContainer(podWith({ containerStatuses: [running] }))).to.deep.equal(known);
    expect(runningContainer(podWith({ containerStatuses: [running] }, ''))).to.equal(undefined);
    expect(runningContainer(podWith({ containerStatuses: [{ ...running, name: 'other' }] }))).to.equal(undefined);
    expect(runningContainer(podWith({ containerStatuses: [waiting('CrashLoopBackOff')] }))).to.equal(undefined);
  });

  it('is taken from inside `terminated`, never from beside it', () => {
    const ended = { containerID: 'containerd://old', startedAt: at, finishedAt: at, exitCode: 1, message: 'words' };
    const next = container({ ...running, lastState: { terminated: ended } });
    const found = { containerId: 'containerd://old', startedAt: at, finishedAt: at, message: 'words' };
    expect(terminatedContainers(podWith({ containerStatuses: [next] }))).to.deep.equal([found]);
    // A kubelet that lost a container says so without an id: that proves nothing.
    const lost = container({ containerID: 'containerd://a', state: { terminated: { exitCode: 137 } } });
    expect(terminatedContainers(podWith({ containerStatuses: [lost] }))).to.deep.equal([]);
  });
});

describe('the sign of a pod', () => {
  const ready = { type: 'Ready', status: 'True' };
  const pod = podWith({ podIP: '10.1.0.1', containerStatuses: [running], conditions: [ready] });
  const status = pod.status!;
  for (const [what, other, isNews] of [
    ['the same', structuredClone(pod), false],
    ['another probe time', { ...pod, status: { ...status, conditions: [{ ...ready, lastProbeTime: at }] } }, false],
    ['another pod', { ...pod, metadata: { ...pod.metadata, uid: 'uid-2' } }, true],
    ['a restarted container', podWith({ ...status, containerStatuses: [{ ...running, containerID: 'b' }] }), true],
    ['another address', podWith({ ...status, podIP: '10.1.0.2' }), true],
    ['no longer ready', podWith({ ...status, conditions: [{ ...ready, status: 'False' }] }), true],
    ['being deleted', { ...pod, metadata: { ...pod.metadata, deletionTimestamp: at } }, true],
    ['no pod', undefined, true],
  ] as const) {
    it(`${what} is ${isNews ? 'news' : 'no news'}`, () => {
      expect(podSign(other as Pod | undefined) !== podSign(pod)).to.equal(isNews);
    });
  }

  it('is ready only by its condition', () => {
    expect([isReady(pod), isReady(podWith({ phase: 'Running' }))]).to.deep.equal([true, false]);
  });
});
