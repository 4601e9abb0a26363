import { z } from 'zod';
import { conditions, count, generation, text } from '../fields.ts';
import { instanceStatus, netInfo, runningClass } from './instance-status.ts';
import { floatingIp } from './network.ts';
import { versionCfg } from './version.ts';

/** The words of the original (facts: states), then those that it lacked. Empty is a new cluster. */
export const CLUSTER_STATUS = [
  '',
  'Init',
  'Creating',
  'Running',
  'Interrupt',
  'Rebuild',
  'ModifyClass',
  'RestartCluster',
  'RestartIns',
  'FlushParams',
  'SwitchRw',
  'MigrateRo',
  'MigrateRw',
  'UpgradeMinorVersion',
  'RebuildRo',
  'AddRo',
  'RemoveRo',
  'ExtendStorage',
  'Stopped',
  'Deleting',
] as const;

const volume = z
  .object({
    claimName: text(253).describe('PersistentVolumeClaim.'),
    instance: text(32).optional().describe('Instance that it belongs to; absent for the shared volume.'),
    volumeName: text(253).optional().describe('PersistentVolume.'),
    capacity: text(32).optional().describe('Size.'),
  })
  .describe('One volume.');

const operation = z
  .object({
    name: text(253).describe('Name of the MPDOperation.'),
    type: text(64).describe('What it does.'),
    step: text(128).optional().describe('Step that it is in.'),
    reason: text(128).optional().describe('Why it waits, in one word.'),
    message: text(4096).optional().describe('Why it waits.'),
  })
  .describe('Operation that is going on; absent when there is none.');

export const mpdClusterStatus = z
  .object({
    observedGeneration: generation().optional().describe('Generation of spec that this status speaks of.'),
    clusterStatus: z
      .enum(CLUSTER_STATUS)
      .optional()
      .describe('What the cluster is doing, in the words of the original.'),
    conditions: conditions().optional(),
    followerNum: count().optional().describe('Number of read-only instances that exist.'),
    readyFollowers: count().optional().describe('Number of read-only instances that are ready.'),
    followers: text(32).optional().describe('Ready and wanted read-only instances, for example 2/2.'),
    selector: text(253).optional().describe('Label selector of the read-only pods, for autoscalers.'),
    leaderInstanceId: text(32).optional().describe('Instance id of the RW.'),
    leaderInstanceHost: text(253).optional().describe('Node of the RW.'),
    logicId: text(32).optional().describe('Id of the cluster.'),
    version: text(64).optional().describe('Version that the engine tells, for example 15.8.'),
    versionCfg: versionCfg.optional().describe('Version that is running.'),
    insClassInfo: runningClass.optional().describe('Class that is running.'),
    operation: operation.optional(),
    dbInstanceStatus: z.record(text(32), instanceStatus).optional().describe('Instances by instance id.'),
    excludedInstances: z
      .array(text(32))
      .meta({ 'x-kubernetes-list-type': 'set' })
      .optional()
      .describe('Instance ids that removeIns took out; they are not replaced.'),
    volumes: z
      .array(volume)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['claimName'] })
      .optional()
      .describe('Volumes of the cluster.'),
    clusterManagerStatus: z
      .object({
        workingPort: z.int().optional().describe('Port of its API.'),
        deployName: text(253).optional().describe('Its Deployment.'),
      })
      .optional()
      .describe('Cluster manager of an original cluster.'),
    floatingIP: floatingIp.optional().describe('Never filled.'),
    localVolName: text(253).optional().describe('Never filled.'),
    proxyStatus: z
      .object({
        workingPort: z.int().optional().describe('Port.'),
        maxScaleName: text(253).optional().describe('Name.'),
        maxScaleNameSpace: text(63).optional().describe('Namespace.'),
        workingAddr: z.array(netInfo).optional().describe('Addresses.'),
      })
      .optional()
      .describe('Never filled.'),
  })
  .describe('What is.');

export type MPDClusterStatus = z.output<typeof mpdClusterStatus>;
