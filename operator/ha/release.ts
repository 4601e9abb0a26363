import type { GroupRecord } from './record.ts';

/** An engine pod that is being deleted and is kept by our finalizer. */
export interface LeavingPod {
  uid: string;
  /** Undefined: no node ever ran it. */
  node?: string;
  /** `status.phase`. */
  phase?: string;
  /** Condition DisruptionTarget with reason DeletionByPodGC: the control plane set the phase, not a kubelet. */
  isCollected: boolean;
  /** Out-of-service taint on its node, or a person's attestation for an incarnation in this pod. */
  isHostOff: boolean;
}

export type Release = { release: true } | { release: false; message: string };

/**
 * May the finalizer go? Only when nothing of the pod runs any more, so that no twin of it comes up beside it, and not
 * before what its status proves stands in the record. A kubelet ends the phase of a pod only after all its containers
 * have ended.
 */
export function mayRelease(pod: LeavingPod, record: GroupRecord | undefined): Release {
  const unproven = objectionOfRecord(pod.uid, record);
  if (unproven) return { release: false, message: unproven };
  if (pod.node === undefined || pod.isHostOff || isEnded(pod)) return { release: true };
  return { release: false, message: `the kubelet of node ${pod.node} has not reported all its containers ended` };
}

function objectionOfRecord(uid: string, record: GroupRecord | undefined): string | undefined {
  if (record?.holder?.podUid === uid) return 'it holds the group and is not revoked yet';
  const isUnproven = record?.former?.incarnation.podUid === uid && !record.fence;
  return isUnproven ? 'it held the group and is not proven stopped yet' : undefined;
}

const isEnded = ({ phase, isCollected }: LeavingPod): boolean =>
  !isCollected && (phase === 'Succeeded' || phase === 'Failed');
