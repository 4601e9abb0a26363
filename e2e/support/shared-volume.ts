import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RESOURCES } from '../../operator/kube/resources.ts';
import type { Scenario } from './scenario.ts';

export interface SharedVolume {
  /** The claim's name. */
  claim: string;
  /** Where its files are on this machine. */
  directory: string;
  remove(): Promise<void>;
}

/** A claim that all nodes can mount at once: a directory that they share stands in for a cluster file system. */
export async function sharedVolume(
  scene: Pick<Scenario, 'client' | 'local' | 'namespace'>,
  claim: string,
  namespace = scene.namespace,
): Promise<SharedVolume> {
  const { client, local } = scene;
  const name = `${scene.namespace}-${claim}`;
  const directory = join(local.sharedDir, name);
  await mkdir(directory, { recursive: true });
  // As a shared file system is set up for many users; mkdir alone obeys this process's umask.
  await chmod(directory, 0o777);
  const accessModes = ['ReadWriteMany'] as const;
  const capacity = { storage: '1Gi' };
  await client.create(RESOURCES.persistentVolumes, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity,
      accessModes: [...accessModes],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: '',
      claimRef: { namespace, name: claim },
      hostPath: { path: directory },
    },
  });
  await client.create(RESOURCES.persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: claim, namespace },
    spec: { accessModes: [...accessModes], storageClassName: '', volumeName: name, resources: { requests: capacity } },
  });
  return {
    claim,
    directory,
    remove: async () => {
      await client.delete(RESOURCES.persistentVolumeClaims, { namespace, name: claim });
      await client.delete(RESOURCES.persistentVolumes, { name });
      await rm(directory, { recursive: true, force: true });
    },
  };
}
