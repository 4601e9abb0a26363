import { mayRelease } from '../release.ts';
import type { ApiServer, PodObject } from './api-server.ts';
import type { Host } from './network.ts';

export interface Wanted {
  instanceId: string;
  /** Where its pod may run, the first that is possible; a local volume has one place. */
  hosts: readonly Host[];
}

export interface PodKeeperView {
  api: ApiServer;
  wanted: readonly Wanted[];
  /** Incarnation's pod whose host somebody called off. */
  attestedPod?: string;
}

/** The operator's part: releases pods that may go, and makes the missing ones. It works on what is stored. */
export function keepPods({ api, wanted, attestedPod }: PodKeeperView, newUid: () => string): void {
  const { pods, nodes, record } = api.stored;
  for (const pod of pods.filter(it => it.leaving)) {
    const isHostOff = (nodes[pod.node]?.outOfService ?? false) || attestedPod === pod.uid;
    if (mayRelease({ ...pod, isCollected: false, isHostOff }, record?.record).release) {
      api.changePod(pod.uid, () => undefined);
    }
  }
  for (const { instanceId, hosts } of wanted) {
    if (api.stored.pods.some(it => it.instanceId === instanceId)) continue;
    const node = hosts.find(it => !api.stored.nodes[it]?.outOfService);
    if (node === undefined) continue;
    const pod = newPod(newUid(), instanceId, node);
    api.change(stored => ({ pods: [...stored.pods, pod] }));
  }
}

export const newPod = (uid: string, instanceId: string, node: Host): PodObject => ({
  uid,
  instanceId,
  node,
  leaving: false,
  phase: 'Pending',
  terminated: [],
});
