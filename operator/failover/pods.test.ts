import { expect } from 'chai';
import { container, podWith, running, STARTED_AT, waiting } from '../kinds/testing/pods.ts';
import { runningContainer, terminatedContainers } from './pods.ts';

describe('where a container runs and ran', () => {
  it('is known when kubelet and scheduler have said it all', () => {
    const known = { containerId: 'containerd://a', startedAt: STARTED_AT, node: 'node-1' };
    expect(runningContainer(podWith({ containerStatuses: [running] }))).to.deep.equal(known);
    expect(runningContainer(podWith({ containerStatuses: [running] }, ''))).to.equal(undefined);
    expect(runningContainer(podWith({ containerStatuses: [{ ...running, name: 'other' }] }))).to.equal(undefined);
    expect(runningContainer(podWith({ containerStatuses: [waiting('CrashLoopBackOff')] }))).to.equal(undefined);
  });

  it('is taken from inside `terminated`, never from beside it', () => {
    const ended = {
      containerID: 'containerd://old',
      startedAt: STARTED_AT,
      finishedAt: STARTED_AT,
      exitCode: 1,
      message: 'words',
    };
    const next = container({ ...running, lastState: { terminated: ended } });
    const found = { containerId: 'containerd://old', startedAt: STARTED_AT, finishedAt: STARTED_AT, message: 'words' };
    expect(terminatedContainers(podWith({ containerStatuses: [next] }))).to.deep.equal([found]);
    // A kubelet that lost a container says so without an id: that proves nothing.
    const lost = container({ containerID: 'containerd://a', state: { terminated: { exitCode: 137 } } });
    expect(terminatedContainers(podWith({ containerStatuses: [lost] }))).to.deep.equal([]);
  });
});
