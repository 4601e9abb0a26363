/**
 * One start of an agent in one pod of one instance. Rights, proofs, commands and members of E name incarnations, never
 * instances: a pod that was force-deleted and made again while its old kubelet is cut off exists twice.
 */
export interface Incarnation {
  instanceId: string;
  podUid: string;
  /** 16 hex digits, random at each start of the agent's process. */
  nonce: string;
}

const FORM = /^([A-Za-z0-9._-]+)\/([A-Za-z0-9._-]+)\/([0-9a-f]{16})$/;

export const formatIncarnation = (it: Incarnation): string => `${it.instanceId}/${it.podUid}/${it.nonce}`;

/** @returns undefined when the text is not `<instance>/<pod UID>/<16 hex digits>` */
export function parseIncarnation(text: string): Incarnation | undefined {
  const [, instanceId, podUid, nonce] = FORM.exec(text) ?? [];
  return instanceId && podUid && nonce ? { instanceId, podUid, nonce } : undefined;
}

export const isSameIncarnation = (a: Incarnation, b: Incarnation): boolean =>
  a.instanceId === b.instanceId && a.podUid === b.podUid && a.nonce === b.nonce;
