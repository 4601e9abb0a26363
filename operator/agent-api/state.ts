import * as z from 'zod';
import { orderSchema, upstreamSchema } from './schemas.ts';

/** Parts of answers that reports (beat.ts) tell too. */
export const roleSchema = z.enum(['rw', 'ro', 'standby']);
const role = roleSchema;
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
export const volumeSchema = z.object({
  state: z.enum(['blank', 'partial', 'initialized', 'foreign']),
  clusterUid: z.string().optional(),
  epoch: z.number().optional(),
  /** Incarnation of the RW of that epoch; not known of data that nobody was RW on since it was made or copied. */
  holder: z.string().optional(),
  systemId: z.string().optional(),
  timeline: z.number().optional(),
});

/**
 * `held`: stands ready without an engine process. `crashed`: waits after a failure, for its next start or, while a
 * cluster manager is heard, for its word.
 */
export const processState = z.enum(['stopped', 'starting', 'running', 'stopping', 'crashed', 'held']);
/** How the last engine process ended. */
export const exitSchema = z.object({
  at: time,
  code: z.number().optional(),
  signal: z.string().optional(),
  wanted: z.boolean(),
});

const processSchema = z.object({
  state: processState,
  role: role.optional(),
  pid: z.number().optional(),
  startedAt: time.optional(),
  exit: exitSchema.optional(),
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
export const rightKind = z.enum(['none', 'answer', 'record', 'promises', 'alone']);
/** What this member was last told to be; followers begin again with it after a restart of the container. */
export const planSchema = z.object({
  role: z.union([role, z.literal('stopped')]),
  upstream: upstreamSchema.optional(),
});
/** Demotion fsynced for this epoch, and nothing but PID 1, agent and guard in /proc. */
export const stoppedSchema = z.object({ epoch: z.number(), at: time });
const rightSchema = z.object({
  holds: z.boolean(),
  kind: rightKind,
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
  plan: planSchema,
  process: processSchema,
  /** Present only while it is true. */
  stopped: stoppedSchema.optional(),
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

/**
 * The answer of a member that was asked for its position (protocol, Choice): given after the epoch was persisted and
 * the receiver cut from the old RW. Timeline and position are absent where a member has none of its own (`share`).
 */
export const preparedSchema = z.object({
  epoch: z.number(),
  timeline: z.number().optional(),
  /** All that this member has flushed. */
  lsn: z.string().optional(),
  /** As in reports, at the time of the answer. */
  promiseAgeMs: z.number(),
});

/** What commits wait for on this member when it is RW, as persisted here. */
export const quorumSchema = z.object({
  generation: z.number(),
  members: z.array(z.string()),
  k: z.number(),
  /** This member is RW, and every process of its engine that decides about waiting goes by it. */
  isInEffect: z.boolean(),
  /** Flushed position since when it is. */
  since: z.string().optional(),
});

/** `isDone`: false when it still goes on after `waitMs`. */
export const checkpointResult = z.object({ isDone: z.boolean() });

/** A write through the probe role. Without an SQLSTATE the engine could not be reached at all. */
export const verifyResult = z.object({
  isWritten: z.boolean(),
  /** Five characters; the first two are the class (53: out of resources, 57: shutting down, 25: read only ...). */
  sqlState: z.string().optional(),
  message: z.string().optional(),
  tookMs: z.number(),
});
export const promisesResult = z.object({ promised: z.boolean() });
export const errorBody = z.object({
  error: failure.extend({ highest: orderSchema.optional() }),
});

export type AgentState = z.infer<typeof agentStateSchema>;
export type TaskState = z.infer<typeof taskSchema>;
export type SettingsResult = z.infer<typeof settingsResult>;
export type SlotsResult = z.infer<typeof slotsResult>;
export type Prepared = z.infer<typeof preparedSchema>;
export type Quorum = z.infer<typeof quorumSchema>;
export type CheckpointResult = z.infer<typeof checkpointResult>;
export type VerifyResult = z.infer<typeof verifyResult>;
export type PromisesResult = z.infer<typeof promisesResult>;
/** `created`: false when it was there before. */
export type MadeResult = z.infer<typeof madeResult>;
