import type { FastifyInstance } from 'fastify';
import type { Server } from 'node:https';
import { apiServer, type ApiServerOptions } from './server.ts';

/** The API as it listens: from the first certificate on, and with each renewed one. Every replica serves it. */
export class ApiListener {
  readonly #options: Omit<ApiServerOptions, 'tls'> & { port: number };
  #app: FastifyInstance | undefined;

  constructor(options: Omit<ApiServerOptions, 'tls'> & { port: number }) {
    this.#options = options;
  }

  /** @param tls PEM; open connections go on with the one that they began with */
  use(tls: ApiServerOptions['tls']): void {
    if (this.#app) (this.#app.server as unknown as Server).setSecureContext({ ...tls, minVersion: 'TLSv1.2' });
    else this.#listen(tls);
  }

  async close(): Promise<void> {
    await this.#app?.close();
  }

  #listen(tls: ApiServerOptions['tls']): void {
    const { port, log } = this.#options;
    this.#app = apiServer({ ...this.#options, tls });
    // Failover does not depend on it: a port that is taken is told, and the rest goes on.
    this.#app.listen({ port, host: '::' }).then(
      () => log.info('the API listens', { port }),
      (error: unknown) => log.error('the API cannot listen', { port, error }),
    );
  }
}
