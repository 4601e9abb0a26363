import { MPD_CLUSTERS } from '../../kinds/mpd.ts';
import type { KubeClient } from '../../kube/client.ts';
import { RESOURCES, type ResourceType } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import { INSTANCE_LABEL, isInstanceName } from './names.ts';

/** Who names an instance, by its id. */
export type LiveInstances = ReadonlyMap<string, string>;

/** Pods are large, and only a label of each matters. */
const PAGE = 100;
/** These speak of instances that are gone, and are never the only ones to name one that is there. */
const PAST = new Set(['excludedInstances', 'conditions']);

/**
 * Every instance that some cluster or pod of any namespace names, read from the server and not from a cache: who made a
 * folder before this was called is in it. @throws KubeError; also when only a part could be read
 */
export async function readLiveInstances(client: KubeClient, signal: AbortSignal): Promise<LiveInstances> {
  const live = new Map<string, string>();
  for await (const pod of all(client, RESOURCES.pods, { labelSelector: INSTANCE_LABEL, signal })) {
    const id = pod.metadata.labels?.[INSTANCE_LABEL];
    if (id !== undefined) live.set(id, `pod ${pod.metadata.namespace}/${pod.metadata.name}`);
  }
  for await (const cluster of all(client, MPD_CLUSTERS, { signal })) {
    for (const id of instancesNamedBy(cluster)) {
      live.set(id, `cluster ${cluster.metadata.namespace}/${cluster.metadata.name}`);
    }
  }
  return live;
}

async function* all<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  { labelSelector, signal }: { labelSelector?: string; signal: AbortSignal },
): AsyncGenerator<T> {
  for (let next: string | undefined; ;) {
    const page = await client.listPage(type, { labelSelector, limit: PAGE, next }, { signal });
    yield* page.items;
    next = page.next;
    if (next === undefined) return;
  }
}

/**
 * Instance ids that an MPDCluster names anywhere, as keys or values. The object is taken as it is: one that was written
 * under another definition, and that we cannot read otherwise, still protects what it names.
 */
export function instancesNamedBy(cluster: KubeObject & { spec?: unknown; status?: unknown }): Set<string> {
  const found = new Set<string>();
  const { annotations, labels } = cluster.metadata;
  collect([cluster.spec, cluster.status, annotations, labels], found);
  return found;
}

function collect(value: unknown, found: Set<string>): void {
  if (typeof value === 'string') keepNames(value.split(/[\s,]+/), found);
  else if (Array.isArray(value)) for (const item of value) collect(item, found);
  else if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([key]) => !PAST.has(key));
    keepNames(Object.keys(value), found);
    for (const [, item] of fields) collect(item, found);
  }
}

function keepNames(words: readonly string[], found: Set<string>): void {
  for (const word of words) if (isInstanceName(word)) found.add(word);
}
