import type { Node } from '../../kube/resources.ts';

/** A person, or the cloud, says that this node is off (Kubernetes: non-graceful node shutdown). */
export const isOutOfService = (node: Node | undefined): boolean =>
  node?.spec?.taints?.some(taint => taint.key === 'node.kubernetes.io/out-of-service') ?? false;
