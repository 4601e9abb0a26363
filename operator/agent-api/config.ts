import * as z from 'zod';

/** Environment variable of the engine container with this configuration as JSON. It never holds a secret. */
export const AGENT_CONFIG_ENV = 'POLARDB_STACK_AGENT';
/** Environment variable with the pod's UID, filled by the downward API. */
export const POD_UID_ENV = 'POD_UID';

const port = z.int().min(1).max(65535);
const absolutePath = z.string().regex(/^\//, 'must be an absolute path');
const milliseconds = (fallback: number, max: number) => z.int().min(100).max(max).default(fallback);

const limitsSchema = z.object({
  /** Fast stop before the immediate one, ms. */
  stopFastMs: milliseconds(30_000, 3_600_000),
  /** Immediate stop before everything left is killed, ms. */
  stopImmediateMs: milliseconds(5_000, 600_000),
  /** An engine that does not answer this long after its start counts as failed, ms. Recovery may take long. */
  startMs: milliseconds(3_600_000, 86_400_000),
  /** Promotion of a running follower, ms. */
  promoteMs: milliseconds(60_000, 3_600_000),
  /** One SQL look at the engine, ms. */
  observeMs: milliseconds(2_000, 60_000),
  /** One read of the record, ms. */
  recordMs: milliseconds(1_000, 60_000),
  /** How long a right lasts from the sending of the request that was answered (protocol, Right), ms. */
  rightTtlMs: milliseconds(3_000, 60_000),
  /** An RW whose container is told to end goes on for so long, ms, until a successor is found. Well within the pod's grace. */
  leaveMs: milliseconds(15_000, 600_000),
  /** Without a beat for so long a cluster manager counts as gone, ms. */
  silentMs: milliseconds(1_500, 60_000),
  /** A log file is rotated at this size, bytes. */
  logFileBytes: z
    .int()
    .min(65_536)
    .default(10 * 1024 * 1024),
  /** Rotated log files kept. */
  logFiles: z.int().min(1).max(1_000).default(15),
});

/**
 * What an agent is told by its pod (contents of {@link AGENT_CONFIG_ENV}). It says where things are and who this
 * instance is, never which role it has: roles come by command and record.
 */
export const agentConfigSchema = z.object({
  cluster: z.object({ namespace: z.string().min(1), name: z.string().min(1), uid: z.string().min(1) }),
  /** Group of members that share or stream one set of data; an MPDCluster is one group. */
  group: z.string().min(1),
  /** Instance id: first part of the incarnation. */
  instanceId: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
    // Engines cut application_name at 63 bytes, and the incarnation has a pod UID of 36 and a nonce of 16 besides.
    .max(9),
  dbType: z.enum(['polardb', 'postgresql']),
  topology: z.enum(['share', 'local']),
  /** Number of this member among those of its shared volume (PolarDB `polar_hostid`). */
  hostId: z.int().min(1).max(512).optional(),
  ports: z.object({ engine: port, agent: port, health: port }),
  paths: z.object({
    /** Mount point of the instance's own volume; the agent and the engine use subdirectories of it. */
    data: absolutePath,
    /** Mount point of the shared volume (`share` only). */
    shared: absolutePath.optional(),
    /** Directory for sockets and pass files; may be lost with the container. */
    run: absolutePath,
    /** Directory with tls.crt, tls.key and ca.crt. */
    tls: absolutePath,
    /** File with the password of `replicator`. */
    replicator: absolutePath,
    /** Directory of log files. */
    log: absolutePath,
  }),
  record: z.object({ namespace: z.string().min(1), leaseName: z.string().min(1) }),
  limits: limitsSchema.prefault({}),
});

export type AgentConfig = z.infer<typeof agentConfigSchema>;
/** The form a builder writes: what has a default may be absent. */
export type AgentConfigInput = z.input<typeof agentConfigSchema>;

/**
 * Reads the configuration of an agent from the text of {@link AGENT_CONFIG_ENV}.
 * @throws Error that names every field that is wrong
 */
export function parseAgentConfig(text: string): AgentConfig {
  const config = agentConfigSchema.safeParse(JSON.parse(text));
  if (!config.success) throw new Error(`${AGENT_CONFIG_ENV}: ${z.prettifyError(config.error)}`);
  if (config.data.topology === 'share' && config.data.paths.shared === undefined) {
    throw new Error(`${AGENT_CONFIG_ENV}: topology "share" needs paths.shared`);
  }
  return config.data;
}
