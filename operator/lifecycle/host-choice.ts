import { isLeaving } from '../kinds/pods.ts';
import type { ClusterInstance } from '../kinds/instances.ts';
import { RESOURCES, type Pod } from '../kube/resources.ts';
import { wait, type Wait } from '../workflow/step.ts';
import { EXCLUDED_HOSTS, excludedHosts, type HostChoice } from './builders/affinity.ts';
import type { ClusterContext } from './context.ts';
import { sharedVolumeOf, wwidOf } from './gather/shared-device.ts';
import { describeAvoided, judgeHosts, type AvoidedHost } from './placement.ts';

/** Where the pod of an instance may go, and what is known against the other hosts. */
export interface ChosenHosts extends HostChoice {
  avoided: readonly AvoidedHost[];
  /** No host may take it: its pod is not made. */
  isHopeless: boolean;
}

/**
 * A new instance comes to no host that something is known against: it waits. One that has run goes back rather to such a
 * host than not at all: its volume may be there, and a daemon that is away must not keep a database down.
 */
export function chooseHosts(context: ClusterContext, instance: ClusterInstance): ChosenHosts {
  const { cluster, plan, tools, hosts } = context;
  const hasRun = cluster.status.dbInstanceStatus?.[instance.id]?.installed === true;
  const { avoided, isHopeless } = judgeHosts(hosts.all(), {
    now: tools.now(),
    // What listens at the ports of one that has run is most likely its own engine, a minute ago.
    ...(plan.hostNetwork && !hasRun && { ports: instance.ports }),
    ...imageNeeded(context),
    ...volumeNeeded(context),
  });
  const names = avoided.map(({ host }) => host);
  if (hasRun) return { excluded: [], disliked: names, avoided: [], isHopeless: false };
  return { excluded: names, disliked: [], avoided, isHopeless };
}

/** Where images are never pulled, only a host that has them can run the pod; while none has them, its kubelet says so. */
function imageNeeded({ plan, hosts }: ClusterContext): { version?: string } {
  const { pullPolicy, versionName } = plan.images;
  const isSomewhere = pullPolicy === 'Never' && hosts.all().some(host => host.versions?.includes(versionName));
  return isSomewhere ? { version: versionName } : {};
}

function volumeNeeded({ plan, hosts, memory }: ClusterContext): { volume?: { name: string; wwid?: string } } {
  const { sharedVolume } = memory;
  if (plan.volume.kind !== 'shared' || !sharedVolume) return {};
  const wwid = wwidOf(sharedVolume, hosts.all());
  return { volume: { name: sharedVolume.name, ...(wwid !== undefined && { wwid }) } };
}

/** Which volume is behind the shared claim, once it is bound, and what it says of its device. */
export async function learnSharedVolume({ plan, memory, tools: { client } }: ClusterContext): Promise<void> {
  if (plan.volume.kind !== 'shared' || memory.sharedVolume) return;
  const ref = { namespace: plan.namespace, name: plan.volume.claimName };
  const name = (await client.get(RESOURCES.persistentVolumeClaims, ref))?.spec?.volumeName;
  if (!name) return;
  memory.sharedVolume = sharedVolumeOf(name, await client.get(RESOURCES.persistentVolumes, { name }));
}

/**
 * No node has this pod, and it was made for other hosts than those that it may go to now. Made anew it can go where
 * things are well again; its affinity cannot be changed.
 */
export const isMadeForOthers = (pod: Pod, chosen: HostChoice): boolean =>
  !pod.spec?.nodeName &&
  !isLeaving(pod) &&
  (pod.metadata.annotations?.[EXCLUDED_HOSTS] ?? '') !== excludedHosts(chosen);

/** Facts grow old without an event; whoever waits for a host looks again this often, ms. */
const LOOK_AGAIN_MS = 5_000;

/** While every host is avoided. */
export function waitForHost({ podName }: ClusterInstance, { avoided }: ChosenHosts): Wait {
  const message = `no host may take pod ${podName}: ${describeAvoided(avoided)}`;
  return wait('NoUsableHost', message, { retryInMs: LOOK_AGAIN_MS });
}

/** While the scheduler finds no node; also told: which it may not take. */
export function waitForNode(context: ClusterContext, message: string, { avoided }: ChosenHosts): Wait {
  const also = avoided.length === 0 ? '' : `; avoided: ${describeAvoided(avoided)}`;
  const areFactsThere = context.hosts.all().some(({ conditions }) => conditions.length > 0);
  return wait('PodUnscheduled', `${message}${also}`, areFactsThere ? { retryInMs: LOOK_AGAIN_MS } : {});
}
