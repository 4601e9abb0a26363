import type { Pod } from '../../kube/resources.ts';
import type { ContainerStatus } from '../pods.ts';

/** Test only: pods in the states that their kubelet reports. */
export const STARTED_AT = '2026-01-01T00:00:00Z';

export const container = (change: Partial<ContainerStatus>): ContainerStatus => ({
  name: 'engine',
  image: 'i',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...change,
});
export const waiting = (reason: string, message?: string): ContainerStatus =>
  container({ state: { waiting: { reason, ...(message && { message }) } } });
export const running = container({ containerID: 'containerd://a', state: { running: { startedAt: STARTED_AT } } });

export function podWith(status: NonNullable<Pod['status']>, nodeName: string | undefined = 'node-1'): Pod {
  const metadata = { name: 'orders-1001-1002', namespace: 'shop', uid: 'uid-1' };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName, containers: [] }, status };
}
