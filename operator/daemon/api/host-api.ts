import { ApiListener } from '../../http-api/listener.ts';
import type { Clock } from '../../kube/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../kube/types.ts';
import { DAEMON_SUBJECT } from '../../model/host.ts';
import { dnsNames } from '../../model/names.ts';
import type { CallTools } from './calls.ts';
import { Peers } from './peers.ts';
import { apiServer } from './server.ts';
import { TlsFiles } from './tls-files.ts';

export interface HostApiOptions extends Omit<CallTools, 'client' | 'peers'> {
  client: KubeClient;
  port: number;
  /** Where the Secret with the daemons' certificate is mounted. */
  tlsDirectory: string;
  systemNamespace: string;
  /** Which pods of the system namespace are daemons. */
  podLabels: string;
  clock: Clock;
  log: Logger;
}

/** A check of versions asks the container runtime for each image. */
const PEER_LIMIT_MS = 60_000;

/** The API of a host, and what it needs of the other hosts. */
export class HostApi {
  readonly #listener: ApiListener;
  readonly #files: TlsFiles;

  constructor(options: HostApiOptions) {
    const { client, host, port, tlsDirectory, systemNamespace, podLabels, clock, log } = options;
    this.#files = new TlsFiles({ directory: tlsDirectory, clock, log, onChange: tls => this.#listener.use(tls) });
    const [serverName = DAEMON_SUBJECT.name] = dnsNames(DAEMON_SUBJECT.name, systemNamespace);
    const peers = new Peers({
      client,
      namespace: systemNamespace,
      podLabels,
      host,
      port,
      serverName,
      tls: () => this.#files.current,
      limitMs: PEER_LIMIT_MS,
    });
    this.#listener = new ApiListener({ port, clock, log, make: tls => apiServer({ ...options, peers, tls }) });
  }

  start(): void {
    this.#files.start();
  }

  async stop(): Promise<void> {
    this.#files.stop();
    await this.#listener.close();
  }
}
