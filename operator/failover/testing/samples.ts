import type { Report } from '../../agent-api/beat.ts';
import { createRecord, grant, revoke, type GrantNote, type GroupRecord, type Transition } from '../../ha/record.ts';
import { formatIncarnation, type Incarnation } from '../../ha/incarnation.ts';
import type { Pod } from '../../kube/resources.ts';
import { clusterLabels } from '../../model/labels.ts';
import type { RawCluster } from '../../kinds/mpd.ts';
import { targetOf, type GroupTarget } from '../target.ts';

/** Samples for tests of this room. */
export const UID = '7a1c5a3e-0000-4000-8000-000000000001';
export const AT = '2026-01-01T00:00:00.000Z';

export const incarnationOf = (id: string, nonce = 1): Incarnation => ({
  instanceId: id,
  podUid: `pod-${id}`,
  nonce: String(nonce).padStart(16, '0'),
});
export const one = incarnationOf('1001');
export const two = incarnationOf('1002');

export const note: GrantNote = { containerId: 'containerd://1001', startedAt: AT, node: 'node-1' };

export function must(transition: Transition): GroupRecord {
  if (!transition.ok) throw new Error(`${transition.reason}: ${transition.message}`);
  return transition.record;
}
export const created = createRecord(UID);
export const granted = must(grant(created, { to: one, note, members: [], k: 0 }));
export const revoked = must(revoke(granted, AT));

type Spec = Partial<RawCluster['spec']>;
/** On a shared volume that stock PostgreSQL serves from one member at a time. */
export const SHARED: Spec = { dbClusterType: 'share', storage: undefined, shareStore: { sharePvcName: 'data' } };

/** A cluster of two instances as the API server gives it. */
export function clusterOf(spec: Spec = {}, metadata: Partial<RawCluster['metadata']> = {}): RawCluster {
  const instance = (insType: 'rw' | 'ro', id: string) => ({ insType, physicalInsId: id, insId: id });
  return {
    apiVersion: 'mpd.polardb.aliyun.com/v1',
    kind: 'MPDCluster',
    metadata: {
      name: 'orders',
      namespace: 'shop',
      uid: UID,
      resourceVersion: '1',
      generation: 3,
      creationTimestamp: AT,
      finalizers: ['mpd.finalizers.polardb.aliyun.com'],
      ...metadata,
    },
    spec: {
      dbType: 'postgresql',
      dbClusterType: 'local',
      followerNum: 1,
      classInfo: { className: 'small' },
      storage: { size: '10Gi' },
      ...spec,
    },
    status: {
      logicId: '1',
      conditions: [
        {
          type: 'Accepted',
          status: 'True',
          reason: 'SpecAccepted',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
      dbInstanceStatus: { 1001: instance('rw', '1001'), 1002: instance('ro', '1002') },
    },
  };
}

export function targetFor(spec: Spec = {}): GroupTarget {
  const target = targetOf(clusterOf(spec), { operatorName: 'polar-mpd', hasRecord: false, params: undefined });
  if (!target) throw new Error('the sample is no target');
  return target;
}

/** The pod of an instance, running. */
export function podOf(id: string, change: { labels?: Record<string, string>; podIP?: string } = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `orders-${id}-${id}`,
      namespace: 'shop',
      uid: `pod-${id}`,
      labels: { ...clusterLabels('orders'), ...change.labels },
    },
    spec: { nodeName: `node-${id.slice(-1)}`, containers: [] },
    status: {
      podIP: change.podIP ?? `10.0.0.${id.slice(-1)}`,
      containerStatuses: [
        {
          name: 'engine',
          image: 'i',
          imageID: '',
          ready: true,
          restartCount: 0,
          containerID: `containerd://${id}`,
          state: { running: { startedAt: AT } },
        },
      ],
    },
  };
}

/** What an agent says whose engine is stopped on a volume of this cluster. */
export const reportOf = (who: Incarnation, change: Partial<Report> = {}): Report => ({
  nonce: 'n1',
  incarnation: formatIncarnation(who),
  bootedAt: AT,
  leaving: false,
  engine: { state: 'stopped', acceptsWrites: false },
  plan: { role: 'stopped' },
  volume: { state: 'initialized', clusterUid: UID, epoch: 1 },
  right: { kind: 'none' },
  promiseAgeMs: 60_000,
  ...change,
});
