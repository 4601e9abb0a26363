import { expect } from 'chai';
import type { MPDClusterStatus } from '../../crds/mpdcluster.ts';
import type { EndpointSlice, Pod } from '../kube/resources.ts';
import { buildRwEndpoints } from './builders/services.ts';
import type { Children, ClusterContext } from './context.ts';
import { Memory } from './memory.ts';
import { buildStatus, refusedStatus, type Verdict } from './status.ts';
import { clusterOf, localSpec, planOf } from './testing/fixtures.ts';

const now = new Date('2026-01-01T00:00:00Z');
const plan = planOf();
const [rw, ro] = plan.instances as [(typeof plan.instances)[0], (typeof plan.instances)[0]];

function podOf(name: string, uid: string, change: { ready?: boolean; leaving?: boolean; failing?: boolean } = {}): Pod {
  const { ready = true, leaving = false, failing = false } = change;
  const state = failing
    ? { waiting: { reason: 'ImagePullBackOff' } }
    : { running: { startedAt: '2026-01-01T00:00:00Z' } };
  const container = { name: 'engine', image: '', imageID: '', ready, restartCount: 0, containerID: uid, state };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid, ...(leaving && { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
    spec: { nodeName: `node-of-${uid}`, containers: [] },
    status: {
      podIP: '10.1.0.1',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [container],
    },
  };
}

const published = (uid: string): EndpointSlice =>
  buildRwEndpoints(plan, {
    address: '10.1.0.1',
    port: 5432,
    nodeName: 'n',
    podName: rw.podName,
    podUid: uid,
    incarnation: 'i',
  });

interface Seen {
  pods?: Pod[];
  slices?: EndpointSlice[];
  status?: MPDClusterStatus;
}
const whole = { pods: [podOf(rw.podName, 'u1'), podOf(ro.podName, 'u2')], slices: [published('u1')] };

function statusOf({ pods = [], slices = [], status }: Seen, verdict: Verdict = { clusterStatus: 'Running' }) {
  const none = { services: [], secrets: [], configMaps: [], claims: [], budgets: [], leases: [] };
  const access = { serviceAccounts: [], roles: [], roleBindings: [] };
  const children: Children = { ...none, ...access, pods, endpointSlices: slices };
  const cluster = clusterOf({ ...localSpec, followerNum: 1 }, status);
  const context = { cluster, plan, children, memory: new Memory(), tools: { now: () => now } };
  return buildStatus(context as unknown as ClusterContext, verdict);
}

const condition = ({ conditions = [] }: MPDClusterStatus, type: string): string => {
  const { status, reason } = conditions.find(it => it.type === type) ?? {};
  return `${status} ${reason}`;
};

describe('conditions of a cluster', () => {
  const waiting = { reason: 'CopyingData', message: 'instance 1004: join' };
  for (const [what, seen, verdict, ready, writer] of [
    ['all well', whole, undefined, 'True AllInstancesReady', 'True Published'],
    ['nothing there', {}, undefined, 'False NoWriter', 'False NoWriter'],
    ['waiting for something', whole, { clusterStatus: 'Running', waiting }, 'False CopyingData', 'True Published'],
    ['being created', whole, { clusterStatus: 'Creating' }, 'False Creating', 'True Published'],
    ['stopped', {}, { clusterStatus: 'Stopped' }, 'False Stopped', 'False NoWriter'],
    ['published elsewhere', { ...whole, slices: [published('old')] }, undefined, 'False NoWriter', 'False NoWriter'],
    [
      'RW leaving',
      { ...whole, pods: [podOf(rw.podName, 'u1', { leaving: true }), whole.pods[1]!] },
      undefined,
      'False NoWriter',
      'False NoWriter',
    ],
    [
      'follower not ready',
      { ...whole, pods: [whole.pods[0]!, podOf(ro.podName, 'u2', { ready: false })] },
      undefined,
      'False FollowersNotReady',
      'True Published',
    ],
  ] as [string, Seen, Verdict | undefined, string, string][]) {
    it(what, () => {
      const status = statusOf(seen, verdict);
      expect([condition(status, 'Ready'), condition(status, 'WriterAvailable')]).to.deep.equal([ready, writer]);
      expect(status.conditions?.every(it => it.observedGeneration === 3)).to.equal(true);
    });
  }

  it('keep the time of their last change, and what others judged', () => {
    const before = statusOf(whole);
    const other = {
      type: 'Foreign',
      status: 'True',
      reason: 'R',
      message: '',
      lastTransitionTime: '2020-01-01T00:00:00Z',
    };
    const old = before.conditions!.map(it => ({ ...it, lastTransitionTime: '2020-01-01T00:00:00Z' }));
    const after = statusOf({ ...whole, status: { ...before, conditions: [...old, other] as typeof old } });
    expect(after.conditions?.map(it => it.lastTransitionTime)).to.deep.equal(
      old.map(() => '2020-01-01T00:00:00Z').concat('2020-01-01T00:00:00Z'),
    );
    expect(condition(after, 'Foreign')).to.equal('True R');
  });
});

describe('status of instances', () => {
  for (const [what, pod, state, ready] of [
    ['no pod', undefined, 'PENDING', false],
    ['running', podOf(ro.podName, 'u2'), 'RUNNING', true],
    ['starting', podOf(ro.podName, 'u2', { ready: false }), 'STARTING', false],
    ['failing', podOf(ro.podName, 'u2', { ready: false, failing: true }), 'FAILED', false],
    ['leaving', podOf(ro.podName, 'u2', { leaving: true }), 'STOPPING', false],
  ] as const) {
    it(what, () => {
      const status = statusOf({ ...whole, pods: [whole.pods[0]!, ...(pod ? [pod] : [])] });
      const instance = status.dbInstanceStatus?.[ro.id];
      expect([instance?.currentState?.state, instance?.ready]).to.deep.equal([state, ready]);
      expect(status.followers).to.equal(`${ready ? 1 : 0}/1`);
    });
  }

  it('remember the former state, its end, and that it was once installed', () => {
    const first = statusOf(whole);
    const status = statusOf({ pods: [whole.pods[0]!], slices: whole.slices, status: first });
    const instance = status.dbInstanceStatus?.[ro.id];
    expect(instance?.installed).to.equal(true);
    expect(instance?.nodeName).to.equal('node-of-u2');
    expect(instance?.lastState).to.include({ state: 'RUNNING', finishAt: '2026-01-01T00:00:00Z' });
    expect(statusOf({ ...whole, status: first })).to.deep.equal(first);
  });
});

describe('a spec that this site cannot run', () => {
  it('is refused by a condition; a new cluster is not ready, a running one stays as it is', () => {
    const fresh = refusedStatus(clusterOf(localSpec), 'spec.x: no', now);
    expect([condition(fresh, 'Accepted'), condition(fresh, 'Ready')]).to.deep.equal(['False Refused', 'False Refused']);
    const running = { ...statusOf(whole), logicId: '1000' };
    const refused = refusedStatus(clusterOf(localSpec, running), 'spec.x: no', now);
    expect([condition(refused, 'Accepted'), condition(refused, 'Ready')]).to.deep.equal([
      'False Refused',
      'True AllInstancesReady',
    ]);
    expect(refused.clusterStatus).to.equal('Running');
  });
});
