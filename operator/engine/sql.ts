import { Socket } from 'node:net';
import pg from 'pg';

/** Where the engine's own socket is; never a network address, so peer authentication by OS user holds. */
export interface SqlAddress {
  /** Directory of `.s.PGSQL.<port>`. */
  socketDir: string;
  port: number;
  /** Database role; pg_ident maps the agent's OS user to it. */
  user: string;
}

export interface SqlOptions {
  /** Default `postgres`, which every database system has. */
  database?: string;
  /** Limit for connecting, authentication included. Default 2000 ms. */
  connectMs?: number;
  /** Limit of each statement, on the server (it ends the statement) and a little later on this side. Default 5000 ms. */
  statementMs?: number;
  /** Ends the session at once, whatever it waits for. */
  signal?: AbortSignal;
}

export interface Session {
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** Runs `use` in a session of its own and closes it. The shape that tests replace. */
export type WithSession = <T>(
  address: SqlAddress,
  use: (session: Session) => Promise<T>,
  options?: SqlOptions,
) => Promise<T>;

/** How our sessions show up in pg_stat_activity. */
export const APPLICATION_NAME = 'polardb-stack';

const CLIENT_GRACE_MS = 500;

/** A session that stays open; closed by whoever opened it. */
export interface OpenSession extends Session {
  /** A statement that is run again and again: the engine parses and plans it once. */
  repeat<Row>(text: string): Promise<Row[]>;
  close(): Promise<void>;
}

/** The shape of `openSession` that tests replace. */
export type OpenSessionAt = (address: SqlAddress, options?: SqlOptions) => Promise<OpenSession>;

/**
 * Opens a session over the unix socket.
 * @throws what pg throws: DatabaseError with an SQLSTATE in `code`, or a connection error (`isNotRunning`)
 */
export const openSession: OpenSessionAt = async (address, options = {}) => {
  const { signal } = options;
  signal?.throwIfAborted();
  const socket = new Socket();
  const client = new pg.Client({ ...clientConfig(address, options), stream: () => socket });
  // Without a listener a connection that breaks between two queries would end the process.
  client.on('error', () => undefined);
  const abort = () => socket.destroy(abortReason(signal));
  signal?.addEventListener('abort', abort, { once: true });
  const close = async () => {
    signal?.removeEventListener('abort', abort);
    await client.end().catch(() => undefined);
    socket.destroy();
  };
  try {
    await client.connect();
  } catch (error) {
    await close();
    throw signal?.aborted ? abortReason(signal) : error;
  }
  const names = new Map<string, string>();
  const nameOf = (text: string): string => {
    const name = names.get(text) ?? `repeated ${names.size}`;
    names.set(text, name);
    return name;
  };
  return {
    query: async <Row>(text: string, values: readonly unknown[] = []) =>
      (await client.query(text, [...values])).rows as Row[],
    repeat: async <Row>(text: string) => (await client.query({ name: nameOf(text), text })).rows as Row[],
    close,
  };
};

/**
 * Opens a session, runs `use`, closes it. There is no pool: a local session costs 2 to 5 ms and is rare, while a pooled
 * one would hold a backend for ever and die with every restart of the engine.
 * @throws as `openSession`
 */
export const withSession: WithSession = async (address, use, options = {}) => {
  const session = await openSession(address, options);
  try {
    return await use(session);
  } catch (error) {
    // What a torn session says differs from place to place; the caller asked for the abort and gets its reason.
    if (options.signal?.aborted) throw abortReason(options.signal);
    throw error;
  } finally {
    await session.close();
  }
};

/**
 * Defaults that users set for their own sessions. On a follower no statement runs with `serializable`, so the agent would
 * not hear of it any more; a standing session is idle between two looks; and pg_catalog comes first where it is not named.
 */
const OWN_DEFAULTS = Object.entries({
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  idle_session_timeout: '0',
  lock_timeout: '0',
  search_path: 'public',
})
  .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
  .join(' ');

/** Everything is said, so that no PG* variable of the image's environment fills a gap. */
function clientConfig(address: SqlAddress, options: SqlOptions): pg.ClientConfig {
  const { database = 'postgres', statementMs = 5000, connectMs = 2000 } = options;
  return {
    host: address.socketDir,
    port: address.port,
    user: address.user,
    database,
    password: '',
    application_name: APPLICATION_NAME,
    options: OWN_DEFAULTS,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    query_timeout: statementMs + CLIENT_GRACE_MS,
    ssl: false,
  };
}

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('aborted');
}

/** SQLSTATE (five characters) of a server error, or the system's code (`ECONNREFUSED`), else undefined. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Nobody listens on the socket: the engine does not run, or does not listen yet. */
export const isNotRunning = (error: unknown): boolean => ['ENOENT', 'ECONNREFUSED'].includes(errorCode(error) ?? '');

const PASSING_STATES = new Set([
  'ECONNRESET',
  'EPIPE',
  '57P01', // admin_shutdown: PolarDB cuts all sessions when it is promoted
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now: starting up, shutting down, recovering
  '53300', // too_many_connections
  '08006', // connection_failure
]);

/** The engine runs or is about to, but this session could not be had or was cut: worth another try within a limit. */
export function isPassing(error: unknown): boolean {
  if (isNotRunning(error) || PASSING_STATES.has(errorCode(error) ?? '')) return true;
  return error instanceof Error && CUT.test(error.message);
}

/** What the driver says of a connection that ended during a query, of one that ended between two, of one not had in time. */
const CUT = /^Connection terminated|^Client has encountered a connection error|^timeout expired$/;

/** An identifier as SQL text. @throws Error on an empty name or a NUL character, which SQL cannot express. */
export function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0')) throw new Error('an SQL identifier is empty or contains a NUL character');
  return pg.escapeIdentifier(name);
}

/** A string as SQL text, for statements that take no parameters (CREATE ROLE ...). @throws Error on a NUL character. */
export function quoteLiteral(value: string): string {
  if (value.includes('\0')) throw new Error('an SQL string contains a NUL character');
  return pg.escapeLiteral(value);
}
