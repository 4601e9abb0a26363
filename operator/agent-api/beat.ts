import * as z from 'zod';
import { orderSchema } from './schemas.ts';
import {
  exitSchema,
  planSchema,
  preparedSchema,
  processState,
  quorumSchema,
  rightKind,
  roleSchema,
  stoppedSchema,
  taskSchema,
  volumeSchema,
} from './state.ts';

/**
 * The stream between a cluster manager and an agent: `GET /v1/beats` with HTTP Upgrade over mutual TLS, then one JSON
 * object a line both ways. It is read as tolerantly as the other calls (schemas.ts).
 */
export const BEAT_PATH = '/v1/beats';
export const BEAT_PROTOCOL = 'polardb-stack-beat/1';
/** Both sides send this often, and at once when something changed, ms. */
export const BEAT_MS = 500;

/** Whom an agent may ask for promises, and what certificate it will meet there. */
const peerSchema = z.object({
  incarnation: z.string(),
  address: z.string(),
  port: z.int().min(1).max(65535),
  serverName: z.string(),
  /** Of E, as the cluster manager knows it recorded. */
  isMember: z.boolean(),
});

/** The holder of the right, whose agent the leader does not hear: do others reach it? */
const silentSchema = peerSchema.omit({ isMember: true }).extend({
  /** Tells this silence from others: nonce of the last report before it, else who asks. */
  since: z.string(),
});

/** Cluster manager to agent. */
export const beatSchema = z.object({
  /** One start of a cluster manager's process. */
  cm: z.string(),
  isLeader: z.boolean(),
  /** What is known to be recorded; the standby says nothing. */
  stamp: orderSchema.optional(),
  /** Nonce of the report that is answered: right (a). */
  answer: z.string().optional(),
  peers: z.array(peerSchema),
  /** Whoever gets this tries to reach it for as long as it is asked to, and reports. */
  silent: silentSchema.optional(),
});

const engineReport = z.object({
  state: processState,
  /** What it was started as; `acceptsWrites` tells what it is. */
  role: roleSchema.optional(),
  acceptsWrites: z.boolean(),
  timeline: z.number().optional(),
  /** Flushed position, `X/X`. */
  lsn: z.string().optional(),
  /** While it starts: what its recovery does, and for how long it has been starting. */
  startProgress: z.object({ message: z.string(), sinceMs: z.number() }).optional(),
  exit: exitSchema.optional(),
  /** Why it does not run, for people. */
  message: z.string().optional(),
  /** Why this image cannot run it at all. */
  problem: z.string().optional(),
});

/** A walsender of the RW that serves a member. */
const senderSchema = z.object({
  /** Its application name. */
  incarnation: z.string(),
  flushedLsn: z.string().optional(),
  /** As in pg_stat_replication: `startup`, `catchup`, `streaming`, `stopping`. */
  state: z.string(),
});

/** What came of the latest try to reach a silent holder. */
const probeSchema = silentSchema.pick({ incarnation: true, since: true }).extend({ reached: z.boolean() });

/** Agent to cluster manager: what `GET /v1/state` tells, cheap enough to be told twice a second. */
export const reportSchema = z.object({
  nonce: z.string(),
  /** Stamp of the newest beat of this stream that was taken in before this report was made: it is younger than that. */
  echo: orderSchema.optional(),
  incarnation: z.string(),
  bootedAt: z.string(),
  /** The container was told to end. */
  leaving: z.boolean(),
  engine: engineReport,
  plan: planSchema,
  /** Followers: where the WAL comes from. */
  receiver: z.object({ streaming: z.boolean(), upstreamAddress: z.string().optional() }).optional(),
  /** The highest command seen. */
  highest: orderSchema.optional(),
  demotedEpoch: z.number().optional(),
  stopped: stoppedSchema.optional(),
  prepared: preparedSchema.optional(),
  /** How long ago this member last promised; a promise of the time before a restart counts as given at boot. */
  promiseAgeMs: z.number(),
  /** The upstream refuses to go on from what this member holds: only a rejoin helps. */
  needsRejoin: z.boolean().optional(),
  /** The data was rewound and has not streamed since. */
  isRewound: z.boolean().optional(),
  quorum: quorumSchema.optional(),
  /** RW only. */
  senders: z.array(senderSchema).optional(),
  volume: volumeSchema,
  right: z.object({ kind: rightKind, remainingMs: z.number().optional() }),
  settingsHash: z.string().optional(),
  task: taskSchema.optional(),
  probe: probeSchema.optional(),
});

export type Peer = z.infer<typeof peerSchema>;
export type Silent = z.infer<typeof silentSchema>;
export type Beat = z.infer<typeof beatSchema>;
export type Report = z.infer<typeof reportSchema>;
