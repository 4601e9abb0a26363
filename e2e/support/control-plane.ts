import { up, type LocalCluster } from '../../scripts/kubernetes/cluster.ts';
import { printSteps } from '../../scripts/kubernetes/progress.ts';

export type ControlPlane = Pick<LocalCluster, 'kubeconfig' | 'kubectl' | 'auditLog'>;

/**
 * A real etcd and kube-apiserver without nodes, shared by all integration tests: each works in a namespace of its own
 * and takes it away. It is brought up by whoever asks first, which takes minutes when its programs are not built yet,
 * and left running for the next run.
 */
export async function controlPlane(): Promise<ControlPlane> {
  return await up({ name: 'integration', nodes: 0, report: printSteps });
}
