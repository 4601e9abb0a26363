import { expect } from 'chai';
import type { Pod } from '../kube/resources.ts';
import { runningContainer, terminatedContainers } from './pods.ts';

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
