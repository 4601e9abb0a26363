import { expect } from 'chai';
import type { MPDClusterStatus } from '../../crds/mpdcluster.ts';
import { createRecord, grant, type GroupRecord } from '../ha/record.ts';
import { formatRecord, type LeaseObject } from '../ha/lease.ts';
import { formatIncarnation } from '../ha/incarnation.ts';
import type { EndpointSlice, Lease, Pod } from '../kube/resources.ts';
import { INCARNATION_ANNOTATION } from '../model/labels.ts';
import type { Children, ClusterContext } from './context.ts';
import type { Hosts } from './gather/hosts.ts';
import { Memory } from './memory.ts';
import { buildStatus, refusedStatus, type Verdict } from './status.ts';
import { clusterOf, localSpec, planOf } from './testing/fixtures.ts';
import { hostOf } from './testing/hosts.ts';

const now = new Date('2026-01-01T00:00:00Z');
const plan = planOf();
const [rw, ro] = plan.instances as [(typeof plan.instances)[0], (typeof plan.instances)[0]];

function podOf(name: string, uid: string, change: { ready?: boolean; leaving?: boolean } = {}): Pod {
  const { ready = true, leaving = false } = change;
  const state = { running: { startedAt: '2026-01-01T00:00:00Z' } };
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

const holder = { instanceId: rw.id, podUid: 'u1', nonce: '0000000000000001' };

const published = (podUid: string): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: 'orders-rw',
    namespace: 'shop',
    annotations: { [INCARNATION_ANNOTATION]: formatIncarnation({ ...holder, podUid }) },
  },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.1.0.1'] }],
});

function granted(): Lease {
  const note = { containerId: 'containerd://u1', startedAt: '2026-01-01T00:00:00Z', node: 'node-of-u1' };
  const transition = grant(createRecord(plan.uid), { to: holder, note, members: [], k: 0 });
  const { record } = transition as { record: GroupRecord };
  const metadata = { name: 'orders-primary', namespace: 'shop' };
  const lease: LeaseObject = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata };
  return formatRecord(record, lease);
}

interface Seen {
  pods?: Pod[];
  slices?: EndpointSlice[];
  status?: MPDClusterStatus;
  /** Client addresses that daemons tell, by node. */
  clients?: Record<string, string>;
  /** Last heartbeat of these. */
  heard?: Date;
}
const whole = { pods: [podOf(rw.podName, 'u1'), podOf(ro.podName, 'u2')], slices: [published('u1')] };

function statusOf(
  { pods = [], slices = [], status, clients = {}, heard }: Seen,
  verdict: Verdict = { clusterStatus: 'Running' },
) {
  const none = { services: [], secrets: [], configMaps: [], claims: [], budgets: [] };
  const access = { serviceAccounts: [], roles: [], roleBindings: [] };
  const children: Children = { ...none, ...access, pods, endpointSlices: slices, leases: [granted()] };
  const cluster = clusterOf({ ...localSpec, followerNum: 1 }, status);
  const all = Object.entries(clients).map(([name, address]) =>
    hostOf(name, { clientIp: address, ...(heard && { heard }) }),
  );
  const hosts: Hosts = { all: () => all, of: name => all.find(it => it.name === name) };
  const context = { cluster, plan, children, hosts, memory: new Memory('uid'), tools: { now: () => now } };
  return buildStatus(context as unknown as ClusterContext, verdict);
}

const condition = ({ conditions = [] }: MPDClusterStatus, type: string): string => {
  const { status, reason } = conditions.find(it => it.type === type) ?? {};
  return `${status} ${reason}`;
};

describe('conditions of a cluster', () => {
  const waiting = { reason: 'CopyingData', message: 'instance 1004: join' };
  for (const [what, seen, verdict, ready] of [
    ['all well', whole, undefined, 'True AllInstancesReady'],
    ['nothing there', {}, undefined, 'False NoWriter'],
    ['waiting for something', whole, { clusterStatus: 'Running', waiting }, 'False CopyingData'],
    ['being created', whole, { clusterStatus: 'Creating' }, 'False Creating'],
    ['stopped', {}, { clusterStatus: 'Stopped' }, 'False Stopped'],
    ['published elsewhere', { ...whole, slices: [published('old')] }, undefined, 'False NoWriter'],
    [
      'RW leaving',
      { ...whole, pods: [podOf(rw.podName, 'u1', { leaving: true }), whole.pods[1]!] },
      undefined,
      'False NoWriter',
    ],
    [
      'follower not ready',
      { ...whole, pods: [whole.pods[0]!, podOf(ro.podName, 'u2', { ready: false })] },
      undefined,
      'False FollowersNotReady',
    ],
  ] as [string, Seen, Verdict | undefined, string][]) {
    it(what, () => {
      const status = statusOf(seen, verdict);
      expect(condition(status, 'Ready')).to.equal(ready);
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
  for (const [what, pod, ready] of [
    ['no pod', undefined, false],
    ['running', podOf(ro.podName, 'u2'), true],
    ['starting', podOf(ro.podName, 'u2', { ready: false }), false],
    ['leaving', podOf(ro.podName, 'u2', { leaving: true }), false],
  ] as const) {
    it(what, () => {
      const status = statusOf({ ...whole, pods: [whole.pods[0]!, ...(pod ? [pod] : [])] });
      expect(status.dbInstanceStatus?.[ro.id]?.ready).to.equal(ready);
      expect(status.followers).to.equal(`${ready ? 1 : 0}/1`);
    });
  }

  it('tell the address for clients that the daemon of the host found; without a daemon that of the node', () => {
    const pod = podOf(ro.podName, 'u2');
    const pods = [whole.pods[0]!, { ...pod, status: { ...pod.status, hostIP: '10.0.0.1' } }];
    const clientOf = (status: MPDClusterStatus) => status.dbInstanceStatus?.[ro.id]?.hostClientIP;
    expect(clientOf(statusOf({ ...whole, pods }))).to.equal('10.0.0.1');
    const told = statusOf({ ...whole, pods, clients: { 'node-of-u2': '192.0.2.7' } });
    expect(clientOf(told)).to.equal('192.0.2.7');
    expect(clientOf(statusOf({ ...whole, pods: [], status: told }))).to.equal('192.0.2.7');
  });

  it('keep the address that was told of a host whose daemon fell silent; a new one gets that of the node', () => {
    const pod = podOf(ro.podName, 'u2');
    const pods = [whole.pods[0]!, { ...pod, status: { ...pod.status, hostIP: '10.0.0.1' } }];
    const clientOf = (status: MPDClusterStatus) => status.dbInstanceStatus?.[ro.id]?.hostClientIP;
    const silent = { clients: { 'node-of-u2': '192.0.2.7' }, heard: new Date(now.getTime() - 91_000) };
    const status = statusOf({ ...whole, pods, clients: silent.clients, heard: now });
    expect(clientOf(statusOf({ ...whole, pods, ...silent, status }))).to.equal('192.0.2.7');
    expect(clientOf(statusOf({ ...whole, pods, ...silent }))).to.equal('10.0.0.1');
  });

  it('remember where they were and that they were once installed, and leave what the cluster manager says', () => {
    const said = { insType: 'ro', currentState: { state: 'RUNNING' }, lagBytes: 5 } as const;
    const first = statusOf({ ...whole, status: { dbInstanceStatus: { [ro.id]: said }, leaderInstanceId: 'x' } });
    const status = statusOf({ pods: [whole.pods[0]!], slices: whole.slices, status: first });
    const instance = status.dbInstanceStatus?.[ro.id];
    expect(instance?.installed).to.equal(true);
    expect(instance?.nodeName).to.equal('node-of-u2');
    expect(instance).to.deep.include(said);
    expect(status.leaderInstanceId).to.equal('x');
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
