import type { FastifyInstance } from 'fastify';
import type { Server } from 'node:https';
import type { Clock } from '../kube/clock.ts';
import type { Logger } from '../kube/types.ts';
import { MIN_TLS, type ServerTls } from './server.ts';

export interface ApiListenerOptions {
  port: number;
  clock: Clock;
  log: Logger;
  make: (tls: ServerTls) => FastifyInstance;
}

/** The former process of a host may still hold the port. */
const RETRY_MS = 5_000;
const DRAIN_MS = 3_000;
/** What a kernel without IPv6 says. */
const NO_IPV6: readonly unknown[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'];

/** An API as it listens: from the first certificate on, and with each renewed one. */
export class ApiListener {
  readonly #options: ApiListenerOptions;
  #tls: ServerTls | undefined;
  #app: FastifyInstance | undefined;
  #isClosed = false;
  #cancelRetry = (): void => undefined;

  constructor(options: ApiListenerOptions) {
    this.#options = options;
  }

  /** Open connections go on with the certificate that they began with. */
  use(tls: ServerTls): void {
    const isFirst = this.#tls === undefined;
    this.#tls = tls;
    if (isFirst) void this.#listen();
    else if (this.#app) (this.#app.server as unknown as Server).setSecureContext({ ...tls, minVersion: MIN_TLS });
  }

  /** What was asked is answered first, for a while. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry();
    const app = this.#app;
    if (!app) return;
    const cancel = this.#options.clock.after(DRAIN_MS, () => app.server.closeAllConnections());
    await app.close();
    cancel();
  }

  /** Nothing else of a part depends on it: a port that is taken is told and tried again, and the rest goes on. */
  async #listen(host = '::'): Promise<void> {
    const { port, log, make, clock } = this.#options;
    if (!this.#tls || this.#isClosed) return;
    const app = make(this.#tls);
    this.#app = app;
    try {
      await app.listen({ port, host });
      log.info('the API listens', { port });
    } catch (error) {
      this.#app = undefined;
      const { code } = error as { code?: unknown };
      if (host === '::' && NO_IPV6.includes(code)) return this.#listen('0.0.0.0');
      log.error('the API cannot listen', { port, error });
      this.#cancelRetry = clock.after(RETRY_MS, () => void this.#listen());
    }
  }
}
