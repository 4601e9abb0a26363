import { Agent, type Dispatcher } from 'undici';
import { systemClock, type Clock } from './clock.ts';
import { isSameConnection, isSameCredentials, type CredentialSource, type Credentials } from './credentials.ts';

export interface TransportOptions {
  credentials: CredentialSource;
  /** Credentials are read again after this long, ms (default 10 s): service account tokens and CAs rotate. */
  refreshMs?: number;
  /** Connections for calls (default 24). Watches have theirs beside, as many as there are watches. */
  connections?: number;
  clock?: Clock;
}

export interface HttpRequest {
  method: Dispatcher.HttpMethod;
  /** Path with query. */
  path: string;
  headers?: Record<string, string>;
  body?: string;
  signal: AbortSignal;
  /** A watch: long-lived, on a connection of its own. */
  stream?: boolean;
}

interface Pool {
  credentials: Credentials;
  calls: Agent;
  streams: Agent;
}

/**
 * One pool of connections to one API server. Follows rotated tokens, client certificates and CAs: a change of the TLS
 * material opens a new pool, and the old one ends with its last request.
 *
 * A dead peer (half-open socket) is found by TCP keep-alive within 20 s: libuv probes every second, ten times, after
 * the initial delay of 10 s.
 */
export class Transport {
  readonly #options: Required<TransportOptions>;
  #pool: Pool | undefined;
  #readAt = 0;
  #refreshing: Promise<Pool> | undefined;

  constructor(options: TransportOptions) {
    this.#options = { refreshMs: 10_000, connections: 24, clock: systemClock, ...options };
  }

  /** One request, without retry. Rejects when no answer came. */
  async request(request: HttpRequest): Promise<Dispatcher.ResponseData> {
    const pool = await this.#current();
    const agent = request.stream ? pool.streams : pool.calls;
    return agent.request({
      origin: pool.credentials.server,
      path: request.path,
      method: request.method,
      headers: { ...request.headers, ...pool.credentials.headers },
      body: request.body ?? null,
      signal: request.signal,
    });
  }

  /** Reads the credentials now; true if they differ from those in use, so that a refused call is worth a second try. */
  async refresh(): Promise<boolean> {
    const before = this.#pool?.credentials;
    const { credentials } = await this.#read();
    return !before || !isSameCredentials(before, credentials);
  }

  /** Ends all connections, also those of running watches. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    if (pool) await Promise.all([pool.calls.destroy(), pool.streams.destroy()]);
  }

  async #current(): Promise<Pool> {
    const { clock, refreshMs } = this.#options;
    if (this.#pool && clock.now() - this.#readAt < refreshMs) return this.#pool;
    try {
      return await this.#read();
    } catch (error) {
      // A file caught in the middle of its rotation: what worked a moment ago most likely still does.
      if (this.#pool) return this.#pool;
      throw error;
    }
  }

  /** Concurrent callers share one read. */
  #read(): Promise<Pool> {
    this.#refreshing ??= this.#readOnce().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #readOnce(): Promise<Pool> {
    const credentials = await this.#options.credentials();
    this.#readAt = this.#options.clock.now();
    const old = this.#pool;
    if (old && isSameConnection(old.credentials, credentials)) {
      this.#pool = { ...old, credentials };
      return this.#pool;
    }
    this.#pool = this.#open(credentials);
    if (old) for (const agent of [old.calls, old.streams]) agent.close().catch(() => undefined);
    return this.#pool;
  }

  #open(credentials: Credentials): Pool {
    const shared: Agent.Options = {
      connect: { ...credentials.tls, keepAlive: true, keepAliveInitialDelay: 10_000, timeout: 10_000 },
      keepAliveTimeout: 30_000,
      headersTimeout: 60_000,
      bodyTimeout: 0,
    };
    return {
      credentials,
      calls: new Agent({ ...shared, connections: this.#options.connections }),
      streams: new Agent({ ...shared, connections: null }),
    };
  }
}
