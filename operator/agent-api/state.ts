import * as z from 'zod';
import { orderSchema, upstreamSchema } from './schemas.ts';

const role = z.enum(['rw', 'ro', 'standby']);
const time = z.string();
const failure = z.object({ code: z.string(), message: z.string(), field: z.string().optional() });

/** A long call. Its id is the request id of the call. */
export const taskSchema = z.object({
  id: z.string(),
  kind: z.string(),
  state: z.enum(['running', 'done', 'failed']),
  /** What it does at present, for people. */
  phase: z.string(),
  /** Bytes, where known. */
  done: z.number().optional(),
  total: z.number().optional(),
  startedAt: time,
  endedAt: time.optional(),
  error: failure.optional(),
});

/** `foreign`: data of another cluster, or data nobody accounts for. `partial`: an install to be done again. */
const volumeSchema = z.object({
  state: z.enum(['blank', 'partial', 'initialized', 'foreign']),
  clusterUid: z.string().optional(),
  epoch: z.number().optional(),
  systemId: z.string().optional(),
  timeline: z.number().optional(),
});

const processSchema = z.object({
  /** `held`: stands ready without an engine process. `crashed`: waits for its next start after a failure. */
  state: z.enum(['stopped', 'starting', 'running', 'stopping', 'crashed', 'held']),
  role: role.optional(),
  pid: z.number().optional(),
  startedAt: time.optional(),
  /** How the last engine process ended. */
  exit: z
    .object({ at: time, code: z.number().optional(), signal: z.string().optional(), wanted: z.boolean() })
    .optional(),
  /** Crashes since the last quiet period. */
  crashes: z.number().optional(),
  /** Next start after a crash. */
  retryAt: time.optional(),
  message: z.string().optional(),
});

const factsSchema = z.object({
  role,
  acceptsWrites: z.boolean(),
  timeline: z.number().optional(),
  lsn: z.string().optional(),
  streaming: z.boolean().optional(),
  pendingRestart: z.array(z.string()),
});

/** Kinds as in ha/right.ts. Only `alone` is unbounded: E is empty, so nobody could be promoted (protocol, Right). */
const rightSchema = z.object({
  holds: z.boolean(),
  kind: z.enum(['none', 'answer', 'record', 'promises', 'alone']),
  unbounded: z.boolean(),
  remainingMs: z.number().optional(),
});

export const agentStateSchema = z.object({
  apiVersion: z.number(),
  /** Release of the agent's program. */
  program: z.string().optional(),
  incarnation: z.string(),
  bootedAt: time,
  cluster: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
  group: z.string(),
  instanceId: z.string(),
  engine: z.object({
    name: z.enum(['polardb', 'postgresql']),
    version: z.string().optional(),
    problem: z.string().optional(),
  }),
  /** The highest command seen. */
  highest: orderSchema.optional(),
  volume: volumeSchema,
  /** What this member was last told to be; followers begin again with it after a restart of the container. */
  plan: z.object({ role: z.union([role, z.literal('stopped')]), upstream: upstreamSchema.optional() }),
  process: processSchema,
  /** Present only while it is true: demotion fsynced for this epoch and nothing but PID 1, agent and guard in /proc. */
  stopped: z.object({ epoch: z.number(), at: time }).optional(),
  /** Absent when no engine runs or SQL does not answer in time. */
  facts: factsSchema.optional(),
  right: rightSchema,
  /** The long call that runs, else the one that ended last. */
  task: taskSchema.optional(),
  /** settingsHash of the settings in force, see hashSettings. */
  settingsHash: z.string().optional(),
});

export const settingsResult = z.object({
  changed: z.array(z.string()),
  /** In the file, in force only after a restart. */
  needRestart: z.array(z.string()),
  settingsHash: z.string(),
});

export const slotsResult = z.object({ created: z.array(z.string()), dropped: z.array(z.string()) });
export const madeResult = z.object({ created: z.boolean() });
export const errorBody = z.object({
  error: failure.extend({ highest: orderSchema.optional() }),
});

export type AgentState = z.infer<typeof agentStateSchema>;
export type TaskState = z.infer<typeof taskSchema>;
export type SettingsResult = z.infer<typeof settingsResult>;
export type SlotsResult = z.infer<typeof slotsResult>;
/** `created`: false when it was there before. */
export type MadeResult = z.infer<typeof madeResult>;
