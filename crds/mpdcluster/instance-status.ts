import * as z from 'zod';
import { timestamp } from '../fields.ts';
import { runningVersion } from './version.ts';

/** What is running; the original writes an empty class name where it knows none. */
export const runningClass = z.object({
  className: z.string().optional().describe('Key of the class.'),
  cpu: z.string().optional().describe('CPU.'),
  memory: z.string().optional().describe('Memory.'),
  iops: z.string().optional().describe('I/O operations per second.'),
});

export const netInfo = z
  .object({
    netType: z.string().optional().describe('host or pod.'),
    workingPort: z.int().optional().describe('Port of the engine.'),
    workingHostIP: z.string().optional().describe('Address of the engine.'),
    agentPort: z.int().optional().describe('Port of the HTTPS API of the agent.'),
    healthPort: z.int().optional().describe('Port of the plain health checks.'),
    enableWorkingAdminIP: z.boolean().optional().describe('Reachable on the admin network; never filled.'),
    workingAdminIP: z.string().optional().describe('Address on the admin network; never filled.'),
  })
  .describe('Where the instance is reached.');

const state = z.object({
  state: z.string().optional().describe('Phase, for example RUNNING.'),
  reason: z.string().optional().describe('Why it is in that phase.'),
  errorInfo: z.string().optional().describe('What went wrong.'),
  startAt: timestamp().optional().describe('Since when.'),
  finishAt: timestamp().optional().describe('Until when.'),
});

export const instanceStatus = z
  .object({
    physicalInsId: z.string().optional().describe('Physical id: stays when the instance is replaced.'),
    insId: z.string().optional().describe('Instance id: new for each replacement.'),
    insName: z.string().optional().describe('First instance id.'),
    podName: z.string().optional().describe('Pod of the instance.'),
    podNameSpace: z.string().optional().describe('Namespace of the pod.'),
    nodeName: z.string().optional().describe('Node of the pod.'),
    hostClientIP: z.string().optional().describe('Address of the node on the client network.'),
    polarFsHostId: z.string().optional().describe('Host id in PFS.'),
    installed: z.boolean().optional().describe('The data directory is complete.'),
    ready: z.boolean().optional().describe('It does what its role asks: RW accepts writes, RO answers and streams.'),
    role: z
      .enum(['leader', 'follower', 'logger', ''])
      .optional()
      .describe('Role in the words of the original; never filled.'),
    insType: z
      .enum(['rw', 'ro', 'standby', 'tempro', ''])
      .optional()
      .describe('Role: rw, ro or standby; tempro is an RO that replaces another.'),
    status: z.string().optional().describe('Never filled.'),
    versionInfo: runningVersion.optional().describe('Version that the instance runs.'),
    insClassInfo: runningClass.optional().describe('Class that the instance runs with.'),
    netInfo: netInfo.optional(),
    timeline: z.int().optional().describe('Timeline of the engine; the RW begins a new one when it is promoted.'),
    lagBytes: z
      .int()
      .meta({ format: 'int64' })
      .optional()
      .describe('Bytes of log that it has not received yet; a rough figure, renewed when it changes much.'),
    currentState: state.optional().describe('State now.'),
    lastState: state.optional().describe('State before.'),
  })
  .describe('One instance.');
