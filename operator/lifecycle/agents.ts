import { AgentConnector, type AgentClient, type TlsMaterial } from '../agent-api/client.ts';
import type { AgentDirectory } from './context.ts';
import type { ClusterInstance } from '../kinds/instances.ts';

/** Our certificate lives for 90 days; a new one is taken well before, ms. */
const RENEW_MS = 24 * 3_600_000;

/** Agents by HTTPS, with a certificate of our own that lives in memory only. */
export class TlsAgentDirectory implements AgentDirectory {
  readonly #connector: AgentConnector;
  readonly #timer: NodeJS.Timeout;
  readonly #issue: () => Promise<TlsMaterial>;
  readonly #failed: (error: unknown) => void;

  private constructor(tls: TlsMaterial, issue: () => Promise<TlsMaterial>, failed: (error: unknown) => void) {
    this.#connector = new AgentConnector(tls);
    this.#issue = issue;
    this.#failed = failed;
    this.#timer = setInterval(() => void this.renew(), RENEW_MS);
    this.#timer.unref();
  }

  /** Takes a fresh certificate, and whom to trust as of now. Never rejects. */
  async renew(): Promise<void> {
    try {
      this.#connector.renew(await this.#issue());
    } catch (error) {
      this.#failed(error);
    }
  }

  /** @param failed is told when a renewal did not work; the next day it is tried again */
  static async open(issue: () => Promise<TlsMaterial>, failed: (error: unknown) => void): Promise<TlsAgentDirectory> {
    return new TlsAgentDirectory(await issue(), issue, failed);
  }

  of(instance: ClusterInstance, address: string): AgentClient {
    return this.#connector.to({ address, port: instance.ports.agent, serverName: instance.podName });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#connector.close();
  }
}
