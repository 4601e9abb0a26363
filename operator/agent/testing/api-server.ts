import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { formatRecord, type LeaseObject } from '../../ha/lease.ts';
import type { GroupRecord } from '../../ha/record.ts';
import type { KeyedCertificate } from '../../pki/keys.ts';

/** As much of an API server as a pod's service account may use: GET of one Lease. */
export class LeaseServer {
  readonly token = 'service-account-token';
  record: GroupRecord | undefined;
  /** Requests so far. */
  reads = 0;
  /** `refuse`: connections are closed at once, as when the API server is away. */
  mode: 'answer' | 'refuse' = 'answer';
  readonly #server: Server;
  readonly #path: string;

  private constructor(server: Server, namespace: string, name: string) {
    this.#server = server;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`;
  }

  static async start(tls: KeyedCertificate, namespace: string, name: string): Promise<LeaseServer> {
    const server = createServer({ cert: tls.certificate, key: tls.key });
    const it = new LeaseServer(server, namespace, name);
    server.on('request', (incoming, outgoing) => {
      it.reads++;
      if (it.mode === 'refuse') {
        incoming.socket.destroy();
        return;
      }
      const { status, body } = it.#answer(incoming.url, incoming.headers.authorization);
      outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return it;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(url: string | undefined, authorization: string | undefined): { status: number; body: object } {
    if (authorization !== `Bearer ${this.token}`) return { status: 401, body: {} };
    if (url !== this.#path || !this.record) return { status: 404, body: {} };
    const lease: LeaseObject = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'record', namespace: 'db' },
    };
    return { status: 200, body: formatRecord(this.record, lease) };
  }
}
