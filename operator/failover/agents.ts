import type { Beat, Report } from '../agent-api/beat.ts';
import { AgentConnector, type MemberClient, type AgentEndpoint, type TlsMaterial } from '../agent-api/client.ts';

/** A connected stream to one agent. */
export interface Stream {
  send(beat: Beat): void;
  close(): void;
}

export interface StreamEvents {
  opened: () => void;
  report: (report: Report) => void;
  /** Comes once, last. */
  ended: (reason: string) => void;
}

/** The way to the agents; tests put their own in its place. */
export interface Agents {
  /** Begins to connect. @returns undefined while there is no certificate to show */
  open(endpoint: AgentEndpoint, events: StreamEvents): Stream | undefined;
  /** @throws Error while there is no certificate to show */
  client(endpoint: AgentEndpoint): MemberClient;
}

/** Connection and handshake end within this, ms; a silent host is asked again. */
const CONNECT_MS = 2_000;

/** Agents over mutual TLS, with the certificate that the operator issued for this part. */
export class TlsAgents implements Agents {
  #connector: AgentConnector | undefined;

  get hasCertificate(): boolean {
    return this.#connector !== undefined;
  }

  /** Takes the first or a renewed certificate; open streams go on with the one that they began with. */
  use(tls: TlsMaterial): void {
    if (this.#connector) this.#connector.renew(tls);
    else this.#connector = new AgentConnector(tls);
  }

  open(endpoint: AgentEndpoint, events: StreamEvents): Stream | undefined {
    const stream = this.#connector?.beats(endpoint, CONNECT_MS);
    if (!stream) return undefined;
    stream.on('open', events.opened);
    stream.on('report', events.report);
    stream.on('end', error => events.ended(error.message));
    return stream;
  }

  client(endpoint: AgentEndpoint): MemberClient {
    if (!this.#connector) throw new Error('there is no certificate of the cluster manager yet');
    return this.#connector.to(endpoint);
  }

  close(): void {
    this.#connector?.close();
  }
}
