import { z } from 'zod';
import { text, timestamp } from '../fields.ts';
import { versionCfg } from './version.ts';

/** What is running; the original writes an empty class name where it knows none. */
export const runningClass = z.object({
  className: text(63).optional().describe('Key of the class.'),
  cpu: text(32).optional().describe('CPU.'),
  memory: text(32).optional().describe('Memory.'),
  iops: text(32).optional().describe('I/O operations per second.'),
});

export const netInfo = z
  .object({
    netType: text(16).optional().describe('host or pod.'),
    workingPort: z.int().optional().describe('Port of the engine.'),
    workingHostIP: text(64).optional().describe('Address of the engine.'),
    agentPort: z.int().optional().describe('Port of the HTTPS API of the agent.'),
    healthPort: z.int().optional().describe('Port of the plain health checks.'),
    enableWorkingAdminIP: z.boolean().optional().describe('Reachable on the admin network; never filled.'),
    workingAdminIP: text(64).optional().describe('Address on the admin network; never filled.'),
  })
  .describe('Where the instance is reached.');

const state = z.object({
  state: text(64).optional().describe('Phase, for example RUNNING.'),
  reason: text(1024).optional().describe('Why it is in that phase.'),
  errorInfo: text(4096).optional().describe('What went wrong.'),
  startAt: timestamp().optional().describe('Since when.'),
  finishAt: timestamp().optional().describe('Until when.'),
});

export const instanceStatus = z
  .object({
    physicalInsId: text(32).optional().describe('Physical id: stays when the instance is replaced.'),
    insId: text(32).optional().describe('Instance id: new for each replacement.'),
    insName: text(64).optional().describe('First instance id.'),
    podName: text(253).optional().describe('Pod of the instance.'),
    podNameSpace: text(63).optional().describe('Namespace of the pod.'),
    nodeName: text(253).optional().describe('Node of the pod.'),
    hostClientIP: text(64).optional().describe('Address of the node on the client network.'),
    polarFsHostId: text(8).optional().describe('Host id in PFS.'),
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
    status: text(64).optional().describe('Never filled.'),
    versionInfo: versionCfg.optional().describe('Version that the instance runs.'),
    insClassInfo: runningClass.optional().describe('Class that the instance runs with.'),
    netInfo: netInfo.optional(),
    currentState: state.optional().describe('State now.'),
    lastState: state.optional().describe('State before.'),
  })
  .describe('One instance.');
