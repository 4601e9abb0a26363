import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { applyObjects, get, kubectl } from './api.ts';
import { volume, volumeLabel, volumesOf, type VolumeName } from './addons.ts';
import type { ClusterSettings } from './control-plane.ts';
import { machineDirectory } from './paths.ts';

/** Directory of a local volume, as this machine sees it. */
const directoryOf = (cluster: string, { node, name }: VolumeName): string =>
  join(machineDirectory(cluster, node), 'volumes', name);

export async function makeVolumeDirectories(settings: ClusterSettings): Promise<void> {
  await Promise.all(volumesOf(settings).map(one => mkdir(directoryOf(settings.name, one), { recursive: true })));
}

/**
 * Does what a provisioner does when a claim is deleted: empties its volume and offers it anew. Only
 * volumes whose claim is gone and whose reclaim policy still is `Delete`; one set to `Retain` keeps its data.
 */
export async function recycle(settings: ClusterSettings): Promise<string[]> {
  const released = releasedVolumes(await get(settings, `/api/v1/persistentvolumes?labelSelector=${volumeLabel}`));
  const ours = volumesOf(settings).filter(({ node, name }) => released.includes(`${node}-${name}`));
  if (ours.length === 0) return [];
  const names = ours.map(({ node, name }) => `${node}-${name}`);
  await kubectl(settings.name, ['delete', 'persistentvolume', ...names]);
  await Promise.all(ours.map(one => empty(directoryOf(settings.name, one))));
  await applyObjects(settings.name, ours.map(volume));
  return names;
}

interface VolumeObject {
  metadata: { name: string };
  spec: { persistentVolumeReclaimPolicy?: string };
  status?: { phase?: string };
}

/** Names of the volumes in a list of the API server whose claim is gone for good. */
export function releasedVolumes(list: string): string[] {
  const { items } = JSON.parse(list) as { items: VolumeObject[] };
  const isReleased = ({ spec, status }: VolumeObject): boolean =>
    spec.persistentVolumeReclaimPolicy === 'Delete' && ['Released', 'Failed'].includes(status?.phase ?? '');
  return items.filter(isReleased).map(item => item.metadata.name);
}

async function empty(directory: string): Promise<void> {
  const entries = await readdir(directory);
  await Promise.all(entries.map(entry => rm(join(directory, entry), { recursive: true, force: true })));
}
