import * as z from 'zod';
import { conditions, count, generation } from '../fields.ts';
import { instanceStatus, netInfo, runningClass } from './instance-status.ts';
import { floatingIp } from './network.ts';
import { runningVersion } from './version.ts';

/** The words of the original (facts: states), then those that it lacked. Empty is a new cluster. */
const CLUSTER_STATUS = [
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
    claimName: z.string().describe('PersistentVolumeClaim.'),
    instance: z.string().optional().describe('Instance that it belongs to; absent for the shared volume.'),
    volumeName: z.string().optional().describe('PersistentVolume.'),
    capacity: z.string().optional().describe('Size.'),
  })
  .describe('One volume.');

const operation = z
  .object({
    name: z.string().describe('Name of the MPDOperation.'),
    type: z.string().describe('What it does.'),
    step: z.string().optional().describe('Step that it is in.'),
    reason: z.string().optional().describe('Why it waits, in one word.'),
    message: z.string().optional().describe('Why it waits.'),
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
    followers: z.string().optional().describe('Ready and wanted read-only instances, for example 2/2.'),
    selector: z.string().optional().describe('Label selector of the read-only pods, for autoscalers.'),
    leaderInstanceId: z.string().optional().describe('Instance id of the RW.'),
    leaderInstanceHost: z.string().optional().describe('Node of the RW.'),
    logicId: z.string().optional().describe('Id of the cluster.'),
    version: z.string().optional().describe('Version that the engine tells, for example 15.8.'),
    versionCfg: runningVersion.optional().describe('Version that is running.'),
    insClassInfo: runningClass.optional().describe('Class that is running.'),
    operation: operation.optional(),
    dbInstanceStatus: z.record(z.string(), instanceStatus).optional().describe('Instances by instance id.'),
    excludedInstances: z
      .array(z.string())
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
        deployName: z.string().optional().describe('Its Deployment.'),
      })
      .optional()
      .describe('Cluster manager of an original cluster.'),
    floatingIP: floatingIp.optional().describe('Never filled.'),
    localVolName: z.string().optional().describe('Never filled.'),
    proxyStatus: z
      .object({
        workingPort: z.int().optional().describe('Port.'),
        maxScaleName: z.string().optional().describe('Name.'),
        maxScaleNameSpace: z.string().optional().describe('Namespace.'),
        workingAddr: z.array(netInfo).optional().describe('Addresses.'),
      })
      .optional()
      .describe('Never filled.'),
  })
  .describe('What is.');

export type MPDClusterStatus = z.output<typeof mpdClusterStatus>;
