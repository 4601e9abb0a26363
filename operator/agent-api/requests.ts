import * as z from 'zod';
import { SLOT_PREFIX } from '../engine/slots.ts';
import { commandSchema, followerRole, password, settingsSchema, sqlName, stopMode, upstreamSchema } from './schemas.ts';

const command = commandSchema;
/** How long the answer of a task may be held back for its end, ms. 0 answers at once with `running`. */
const waitMs = z.int().min(0).max(60_000).default(0);
const slotNames = z
  .array(z.string().regex(new RegExp(`^${SLOT_PREFIX}[a-z0-9_]{1,40}$`), `must begin with ${SLOT_PREFIX}`))
  .max(1_000);

/**
 * Makes a new database system, or fills a member's place from its RW. Refused on any data but this cluster's own.
 * `rejoin` (`local`) stops a member whose history has parted from the RW's and makes it fit to follow again: by rewinding
 * its data, else by a new base backup. `start` has to follow.
 */
export const installRequest = z.object({
  command,
  waitMs,
  task: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('initialize'), settings: settingsSchema }),
    z.object({ kind: z.literal('join'), upstream: upstreamSchema }),
    z.object({ kind: z.literal('rejoin'), upstream: upstreamSchema }),
  ]),
});

/**
 * Runs this member as a follower, or lets it stand ready where the engine serves no reads in that role. On a running
 * follower: takes over another upstream and other settings by reload. An RW starts only by promote.
 */
export const startRequest = z.object({
  command,
  waitMs,
  role: followerRole,
  /** Absent where members stand ready on a shared volume without streaming. */
  upstream: upstreamSchema.optional(),
  settings: settingsSchema,
});

/** Makes this member RW if, and only if, the record names this incarnation: from stopped, or the running follower. */
export const promoteRequest = z.object({
  command,
  waitMs,
  /** Absent: those of the last install, start or settings call. */
  settings: settingsSchema.optional(),
  /** What `slots` would ask for right afterwards: a running follower makes them before it is RW, while its disk is quiet. */
  slots: slotNames.optional(),
});

/** Stops whatever runs and promises, fsynced, not to be RW of an older epoch again: the ground of "stopped". */
export const demoteRequest = z.object({ command, waitMs, mode: stopMode.default('fast') });

/** Stops the engine and keeps it stopped, also over a restart of the container. */
export const stopRequest = z.object({ command, waitMs, mode: stopMode.default('fast') });

/** Stops and starts in the same role, for settings that need it. An RW keeps its right meanwhile. */
export const restartRequest = z.object({ command, waitMs, mode: stopMode.default('fast') });

/** Starts an RW again that crashed and waits for word, under its unbroken right. */
export const resumeRequest = z.object({ command, waitMs });

/**
 * Asks a follower for its position: from then on it belongs to this epoch, is cut from its upstream until it is told
 * another one, and promises nothing to an older epoch. Can be repeated.
 */
export const prepareRequest = z.object({ command });

/** A member of E: its incarnation, which is its application name. */
const memberName = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[A-Za-z0-9._/-]+$/, 'is no incarnation');

/**
 * What commits have to wait for: `ANY k (members)`, nothing when k is 0. On the RW it answers when every process of the
 * engine goes by it, on a follower when it is staged for its promotion. A generation below the persisted one is refused.
 */
export const quorumRequest = z.object({
  command,
  /** Of (E, k); ahead of the record's while the engine has to come first. */
  generation: z.int().min(0),
  members: z.array(memberName).max(64),
  k: z.int().min(0).max(64),
});

/** Of one member to another: not to be promoted by rung 4 before the right of `from` ends. No command, it moves nothing. */
export const promisesRequest = z.object({
  clusterUid: z.string().min(1),
  epoch: z.int().min(0),
  generation: z.int().min(0),
  from: memberName,
  ttlMs: z.int().min(0).max(60_000),
});

/** A checkpoint right before a planned stop makes the stop short. */
export const checkpointRequest = z.object({ command, waitMs });

/** Does the RW take a write? Through a role of least rights that waits for no follower. */
export const verifyRequest = z.object({ command });

export const settingsRequest = z.object({ command, settings: settingsSchema });

/** The slots of members that shall exist on this RW: missing ones are made, others with our prefix are dropped. */
export const slotsRequest = z.object({ command, slots: slotNames });

/** The original's privilege levels (facts: accounts). */
export const ACCOUNT_LEVELS = { normal: 1, privileged: 6, superuser: 7, replicator: 15 } as const;

/** Creates the account or sets its attributes and password. */
export const accountRequest = z.object({
  command,
  name: sqlName,
  password,
  level: z.literal([1, 6, 7, 15]),
});

/** Creates the database if it is missing and sets its owner, who must exist. */
export const databaseRequest = z.object({
  command,
  name: sqlName,
  owner: sqlName,
  /** Absent: as the template's. */
  encoding: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,32}$/)
    .optional(),
  locale: z
    .string()
    .regex(/^[A-Za-z0-9_.@-]{1,64}$/)
    .optional(),
});

export type InstallRequest = z.input<typeof installRequest>;
export type StartRequest = z.input<typeof startRequest>;
export type PromoteRequest = z.input<typeof promoteRequest>;
export type DemoteRequest = z.input<typeof demoteRequest>;
export type StopRequest = z.input<typeof stopRequest>;
export type RestartRequest = z.input<typeof restartRequest>;
export type ResumeRequest = z.input<typeof resumeRequest>;
export type PrepareRequest = z.input<typeof prepareRequest>;
export type QuorumRequest = z.input<typeof quorumRequest>;
export type PromisesRequest = z.input<typeof promisesRequest>;
export type CheckpointRequest = z.input<typeof checkpointRequest>;
export type VerifyRequest = z.input<typeof verifyRequest>;
export type SettingsRequest = z.input<typeof settingsRequest>;
export type SlotsRequest = z.input<typeof slotsRequest>;
export type AccountRequest = z.input<typeof accountRequest>;
export type DatabaseRequest = z.input<typeof databaseRequest>;
export type AccountLevel = AccountRequest['level'];
