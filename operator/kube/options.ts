import type { CallHook, CallOptions } from './call.ts';
import type { Clock } from './clock.ts';
import type { CredentialSource } from './credentials.ts';
import type { Selection } from './types.ts';

export interface ClientOptions {
  credentials: CredentialSource;
  /** Owner of the fields this part writes, `polardb-stack-<part>`; also the user agent. */
  fieldManager: string;
  hooks?: readonly CallHook[];
  /** Limit of one call, ms (default 30 s). */
  timeoutMs?: number;
  /** Longest total wait on an overloaded server within one call, ms (default 10 s). */
  maxWaitMs?: number;
  clock?: Clock;
  /** Credentials are read again after this long, ms (default 10 s). */
  refreshMs?: number;
}

export interface WriteOptions extends CallOptions {
  /** Default: the client's. */
  fieldManager?: string;
}

export interface PatchOptions extends WriteOptions {
  /** The write is refused with `Conflict` unless the object still has this version. */
  resourceVersion?: string;
}

export interface DeleteOptions extends CallOptions {
  /** Delete only this very object, not a later one of the same name. */
  uid?: string;
  resourceVersion?: string;
  /** Seconds; 0 forces. Absent: the object's own. */
  graceSeconds?: number;
  propagation?: 'Background' | 'Foreground' | 'Orphan';
}

export interface WatchOptions extends Selection {
  resourceVersion: string;
  signal: AbortSignal;
  /** The server ends the watch after this long, s. */
  timeoutSeconds: number;
  /** Fails with `Silent` when not even a bookmark (about one a minute) came for this long, ms. */
  silenceMs: number;
}
