import { rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { RESOURCES, type Pod } from '../../operator/kube/resources.ts';
import type { LocalCluster } from '../../scripts/kubernetes/cluster.ts';
import { volumesInNode } from '../../scripts/kubernetes/node.ts';
import { machineDirectory } from '../../scripts/kubernetes/paths.ts';
import { run } from '../../scripts/kubernetes/run.ts';
import type { Mend } from './faults.ts';
import type { Scenario } from './scenario.ts';

/** A volume on each node that is small enough to be filled. */
export interface SmallDisks {
  /** Name of their StorageClass. */
  className: string;
  /** Fills the volume of a node to the last block. */
  fill(node: string): Promise<Mend>;
  remove(): Promise<void>;
}

/** Room for an engine with little data, its log of changes and a base backup on its way, MiB. */
const SIZE = 768;

export async function smallDisks({ client, local, namespace }: Scenario): Promise<SmallDisks> {
  const className = `small-${namespace}`;
  const path = join(volumesInNode, className);
  await client.create(RESOURCES.storageClasses, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: className },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  });
  for (const { name: node } of local.nodes) {
    await local.exec(node, ['mkdir', '-p', path]);
    await local.exec(node, ['mount', '-t', 'tmpfs', '-o', `size=${SIZE}m`, className, path]);
    await client.create(
      RESOURCES.persistentVolumes,
      smallVolume({ name: `${className}-${node}`, className, path, node }),
    );
  }
  return {
    className,
    fill: async node => {
      const ballast = join(path, 'ballast');
      // Takes what there is, and fails for want of more.
      await local.exec(node, ['sh', '-c', `dd if=/dev/zero of=${ballast} bs=64k 2>/dev/null; true`]);
      return async () => {
        await local.exec(node, ['rm', '-f', ballast]);
      };
    },
    remove: async () => {
      for (const { name: node } of local.nodes) {
        await client.delete(RESOURCES.persistentVolumes, { name: `${className}-${node}` });
        await local.exec(node, ['umount', '--lazy', path]);
        await rmdir(join(machineDirectory(local.name, node), 'volumes', basename(path)));
      }
      await client.delete(RESOURCES.storageClasses, { name: className });
    },
  };
}

function smallVolume(about: { name: string; className: string; path: string; node: string }) {
  const { name, className, path, node } = about;
  const values = [node];
  return {
    apiVersion: 'v1' as const,
    kind: 'PersistentVolume' as const,
    metadata: { name },
    spec: {
      capacity: { storage: `${SIZE}Mi` },
      accessModes: ['ReadWriteOnce' as const],
      persistentVolumeReclaimPolicy: 'Retain' as const,
      storageClassName: className,
      local: { path },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In' as const, values }] },
          ],
        },
      },
    },
  };
}

/** Lets the containers of a pod do only so many writes a second on the disk of this machine. */
export async function slowDisk(
  local: Pick<LocalCluster, 'sharedDir'>,
  pod: Pod,
  writesPerSecond: number,
): Promise<Mend> {
  const { dev } = await stat(local.sharedDir);
  const disk = await wholeDisk(dev);
  const found = await run('find', ['/sys/fs/cgroup', '-type', 'd', '-path', `*/pod${pod.metadata.uid ?? ''}*`]);
  const groups = found.split('\n').filter(path => path !== '');
  // The older controller counts each group by itself, whatever the group above may do.
  const older = groups.filter(path => path.includes('/blkio/'));
  const [file, limit, none] =
    older.length > 0
      ? ['blkio.throttle.write_iops_device', `${disk} ${writesPerSecond}`, `${disk} 0`]
      : ['io.max', `${disk} wiops=${writesPerSecond}`, `${disk} wiops=max`];
  const limited = older.length > 0 ? older : groups.slice(0, 1);
  const write = async (text: string): Promise<void> => {
    for (const group of limited) await writeFile(join(group, file), text);
  };
  await write(limit);
  return () => write(none);
}

/** `major:minor` of the disk that a file system is on: limits are not for partitions. */
async function wholeDisk(dev: number): Promise<string> {
  const own = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  const parent = await run('sh', [
    '-c',
    'cat "$(readlink -f "$0")/../dev" 2>/dev/null || true',
    `/sys/dev/block/${own}`,
  ]);
  return parent.trim() || own;
}
