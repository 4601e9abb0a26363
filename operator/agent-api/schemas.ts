import * as z from 'zod';
import { SLOT_PREFIX } from '../engine/slots.ts';

/**
 * Words that requests and answers share. Both sides read tolerantly: unknown fields are dropped, so an agent and its
 * callers may be one release apart. Within one API version fields are only added, as optional ones, and no enumeration
 * of an answer gets a new member.
 */
export const API_VERSION = 1;

const count = z.int().min(0);

/** What every command carries. Agents keep the highest (epoch, term, generation) and refuse lower. */
export const commandSchema = z.object({
  /** Chosen by the caller; the same id is done once, and a repeated call gets the first one's outcome. */
  requestId: z.string().min(1).max(200),
  /** The incarnation that is meant; a twin or a restarted agent refuses. */
  incarnation: z.string().min(1).max(200),
  clusterUid: z.string().min(1),
  epoch: count,
  term: count,
  generation: count,
});

export const orderSchema = commandSchema.omit({ requestId: true, incarnation: true });

const settingName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_$]*(\.[a-zA-Z_][a-zA-Z0-9_$]*)*$/, 'is no parameter name');
/** Engine parameters; a value is what stands behind the equal sign, without quotes. */
export const settingsSchema = z.record(
  settingName,
  z
    .string()
    .regex(/^[^\0\r\n]*$/, 'must be one line')
    .max(65_536),
);

/** Where a follower streams from. The agent adds its own incarnation as application name and the pass file. */
export const upstreamSchema = z.object({
  /** A name in the RW's certificate, verified in full. */
  host: z.string().min(1).max(253),
  /** IP address to dial. */
  address: z.string().min(1).max(253),
  port: z.int().min(1).max(65535),
  /** Physical replication slot on the RW, made before (see memberSlot). */
  slot: z.string().regex(/^[a-z0-9_]{1,63}$/),
});

/** The replication slot that a member of this instance id uses on its RW. */
export const memberSlot = (instanceId: string): string => `${SLOT_PREFIX}${instanceId.replaceAll('-', '_')}`;

export const followerRole = z.enum(['ro', 'standby']);
export const stopMode = z.enum(['fast', 'immediate', 'kill']);

/** A name of the SQL world; quoted by the agent, so any printable text of at most 63 bytes is fine. */
export const sqlName = z
  .string()
  .regex(/^[^\x00-\x1f\x7f]+$/, 'must be printable')
  .refine(name => Buffer.byteLength(name) <= 63, 'must have at most 63 bytes');

/** Printable ASCII only: there SASLprep changes nothing, so the verifier made by the agent fits what clients send. */
export const password = z.string().regex(/^[\x20-\x7e]{8,200}$/, 'must be 8 to 200 printable ASCII characters');

export type Command = z.infer<typeof commandSchema>;
export type ApiUpstream = z.infer<typeof upstreamSchema>;
export type StopMode = z.infer<typeof stopMode>;
