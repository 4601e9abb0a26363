import type { Evidence, MemberReport } from '../evidence.ts';
import type { Incarnation } from '../incarnation.ts';
import { createRecord, grant, revoke, type GrantNote, type GroupRecord, type Transition } from '../record.ts';

/** Samples for tests of this room. */
export const AT = '2026-01-02T03:04:05Z';
export const UID = 'cluster-uid';

export const inc = (instanceId: string, podUid: string, nonce: string): Incarnation => ({
  instanceId,
  podUid,
  nonce: nonce.padStart(16, '0'),
});

/** The RW's first start, a restart of its agent in the same pod, a twin in another pod, another instance. */
export const first = inc('1', 'pod-a', '1');
export const restarted = inc('1', 'pod-a', '2');
export const twin = inc('1', 'pod-b', '3');
export const other = inc('2', 'pod-c', '4');

export const note: GrantNote = { containerId: 'containerd://c1', startedAt: AT, node: 'node-1' };

export function must(transition: Transition): GroupRecord {
  if (!transition.ok) throw new Error(`${transition.reason}: ${transition.message}`);
  return transition.record;
}

export const created = createRecord(UID);
export const granted = must(grant(created, { to: first, note, members: [], k: 0 }));
export const revoked = must(revoke(granted, AT));

/** An instance whose engine is stopped on a volume of this cluster. */
export const reportOf = (incarnation: Incarnation, changes: Partial<MemberReport> = {}): MemberReport => ({
  incarnation,
  askedAtEpoch: 1,
  leaving: false,
  container: note,
  volume: { state: 'initialized', clusterUid: UID, epoch: 1 },
  engine: { state: 'stopped', acceptsWrites: false },
  ...changes,
});

export const evidence = (changes: Partial<Evidence> = {}): Evidence => ({
  reports: [],
  pod: { uid: 'pod-a', leaving: false, terminated: [] },
  node: { leaseVersion: '90', outOfService: false },
  ...changes,
});
