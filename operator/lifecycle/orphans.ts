import { MPD_CLUSTERS, MPD_OPERATIONS, type RawOperation } from '../kinds/mpd.ts';
import type { KubeClient } from '../kube/client.ts';
import { patchStatusIfChanged } from '../kube/status.ts';
import { emptyRecord, isFinished } from '../workflow/record.ts';

/**
 * Operations on a cluster that does not exist fail at once: nobody else would ever say a word of them. What has an owner
 * goes with it.
 */
export async function refuseOrphans(
  client: KubeClient,
  operations: readonly RawOperation[],
  now: () => Date,
): Promise<void> {
  for (const object of operations) {
    const { status, metadata, spec } = object;
    if (isFinished({ ...emptyRecord, ...status }) || metadata.ownerReferences?.length) continue;
    const { namespace = '' } = metadata;
    const { name } = spec.target;
    // The watch of clusters may be behind that of operations.
    if (await client.get(MPD_CLUSTERS, { namespace, name })) continue;
    await patchStatusIfChanged(client, MPD_OPERATIONS, object, {
      phase: 'Failed',
      observedGeneration: metadata.generation,
      reason: 'INVALID_REQUEST',
      component: 'spec.target',
      message: `there is no MPDCluster "${name}" in namespace ${namespace}`,
      advice: 'name a cluster that exists and ask again',
      finishedAt: now().toISOString(),
    });
  }
}
