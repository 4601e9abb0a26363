import { setTimeout as sleep } from 'node:timers/promises';
import { missingOfCluster } from '../quickstart/judge.ts';
import type { Cluster } from '../quickstart/objects.ts';
import { installStack } from '../quickstart/install.ts';
import { parseOptions } from '../quickstart/options.ts';
import type { Progress } from '../quickstart/progress.ts';
import { prepareTarget } from '../quickstart/target.ts';
import { find, type LocalCluster } from '../kubernetes/cluster.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { findCredentials } from '../../operator/kube/credentials.ts';
import { MPD_CLUSTERS, type RawCluster } from '../../operator/kinds/mpd.ts';
import type { MPDClusterSpecInput } from '../../crds/mpdcluster.ts';

export const BENCH = 'bench';
export const NAMESPACE = 'default';

/** A Kubernetes of its own with the stack on it, and nothing else. */
export interface Bench {
  local: LocalCluster;
  /** As administrator. */
  client: KubeClient;
}

export async function openBench(progress: Progress): Promise<Bench> {
  const target = await prepareTarget(parseOptions(['--name', BENCH]), progress);
  await installStack(target, progress);
  const local = (await find(BENCH))!;
  const client = new KubeClient({
    credentials: findCredentials({ kubeconfig: local.kubeconfig }),
    fieldManager: 'bench',
  });
  return { local, client };
}

/** The smallest cluster, with as many ROs as are asked for. */
export const smallSpec = (followerNum: number): MPDClusterSpecInput => ({
  dbType: 'postgresql',
  followerNum,
  classInfo: { className: 'polar.o.x1.small' },
  storage: { size: '10Gi' },
  terminationPolicy: 'Delete',
});

export async function createCluster({ client }: Bench, name: string, followerNum: number): Promise<RawCluster> {
  const { apiVersion, kind } = MPD_CLUSTERS;
  return await client.create(MPD_CLUSTERS, {
    apiVersion,
    kind,
    metadata: { name, namespace: NAMESPACE },
    spec: smallSpec(followerNum),
  });
}

const LIMIT_MS = 300_000;

/**
 * Waits until all of them are Ready for their newest spec; returns how long that took, s. By a watch: lists of twenty
 * clusters four times a second were a tenth of all calls to the API server.
 */
export async function secondsToReady({ client }: Bench, names: readonly string[]): Promise<number> {
  const began = performance.now();
  const signal = AbortSignal.timeout(LIMIT_MS);
  const missing = new Map<string, string>();
  const judge = (name: string, object: RawCluster | undefined): void => {
    const what = missingOfCluster(object as unknown as Cluster | undefined);
    if (what === undefined) missing.delete(name);
    else if (names.includes(name)) missing.set(name, what);
  };
  while (!signal.aborted) {
    const { items, resourceVersion } = await client.listPage(MPD_CLUSTERS, { namespace: NAMESPACE, limit: 0 });
    for (const name of names)
      judge(
        name,
        items.find(({ metadata }) => metadata.name === name),
      );
    if (missing.size === 0) return (performance.now() - began) / 1000;
    const watch = {
      namespace: NAMESPACE,
      resourceVersion,
      timeoutSeconds: LIMIT_MS / 1000,
      silenceMs: LIMIT_MS,
      signal,
    };
    for await (const event of client.watch(MPD_CLUSTERS, watch)) {
      if (event.type !== 'BOOKMARK')
        judge(event.object.metadata.name, event.type === 'DELETED' ? undefined : event.object);
      if (missing.size === 0) return (performance.now() - began) / 1000;
    }
  }
  throw new Error(`not Ready after ${LIMIT_MS / 1000} s: ${[...missing].map(it => it.join(': ')).join('; ')}`);
}

/** Deletes clusters, waits for their end, and offers their volumes anew. */
export async function removeClusters({ client, local }: Bench, names: readonly string[]): Promise<void> {
  await Promise.all(names.map(name => client.delete(MPD_CLUSTERS, { namespace: NAMESPACE, name })));
  const end = performance.now() + LIMIT_MS;
  const isLeft = async (): Promise<boolean> => {
    const left = await client.list(MPD_CLUSTERS, { namespace: NAMESPACE });
    return left.some(({ metadata }) => names.includes(metadata.name));
  };
  while (await isLeft()) {
    if (performance.now() > end) throw new Error(`not gone after ${LIMIT_MS / 1000} s: ${names.join(', ')}`);
    await sleep(200);
  }
  await local.recycleVolumes();
}
