import type { TerminatedContainer } from '../ha/evidence.ts';
import type { GrantNote } from '../ha/record.ts';
import { engineStatus } from '../kinds/pods.ts';
import type { Node, Pod } from '../kube/resources.ts';

/** Where the engine container of this pod runs; undefined until the kubelet has said so. */
export function runningContainer(pod: Pod): GrantNote | undefined {
  const status = engineStatus(pod);
  const startedAt = status?.state?.running?.startedAt;
  const node = pod.spec?.nodeName;
  return status?.containerID && startedAt && node ? { containerId: status.containerID, startedAt, node } : undefined;
}

/** What the kubelet reports ended. The id is the one inside `terminated`, never the one beside `state`. */
export function terminatedContainers(pod: Pod): TerminatedContainer[] {
  const status = engineStatus(pod);
  return [status?.state?.terminated, status?.lastState?.terminated].flatMap(ended => {
    if (!ended?.containerID || !ended.startedAt || !ended.finishedAt) return [];
    const { containerID: containerId, startedAt, finishedAt, message } = ended;
    return [{ containerId, startedAt, finishedAt, ...(message && { message }) }];
  });
}

/** A person, or the cloud, says that this node is off (Kubernetes: non-graceful node shutdown). */
export const isOutOfService = (node: Node | undefined): boolean =>
  node?.spec?.taints?.some(taint => taint.key === 'node.kubernetes.io/out-of-service') ?? false;

/** Its kubelet has not been heard for so long that the control plane says so. */
export const isSilent = (node: Node | undefined): boolean =>
  node?.status?.conditions?.some(it => it.type === 'Ready' && it.status === 'Unknown') ?? false;
