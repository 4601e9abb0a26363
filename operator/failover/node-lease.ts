import type { GroupRecord } from '../ha/record.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { RESOURCES } from '../kube/resources.ts';

/** While proof is missing the Lease of the former holder's node is read this often, ms. */
const PERIOD_MS = 500;
const LIMIT_MS = 1_000;

interface NodeLeaseOptions {
  client: Pick<KubeClient, 'get'>;
  clock: Clock;
  /** It was renewed. */
  news: () => void;
}

/**
 * The Lease of the node that a former holder ran on, for rung 2: it is read only while proof is missing, and beside the
 * decisions, which never wait for it.
 */
export class NodeLease {
  readonly #options: NodeLeaseOptions;
  #current: { name: string; version: string | undefined } | undefined;
  /** It is being read, or was a moment ago. */
  #isResting = false;

  constructor(options: NodeLeaseOptions) {
    this.#options = options;
  }

  get current(): { name: string; version: string | undefined } | undefined {
    return this.#current;
  }

  /** To be called with each look: reads again when it is time to. */
  follow(record: GroupRecord | undefined): void {
    const name = record?.former && !record.holder && !record.fence ? record.former.grant.node : undefined;
    if (name === undefined) this.#current = undefined;
    else if (!this.#isResting) void this.#read(name);
  }

  async #read(name: string): Promise<void> {
    const { client, clock, news } = this.#options;
    this.#isResting = true;
    try {
      const ref = { namespace: 'kube-node-lease', name };
      const lease = await client.get(RESOURCES.leases, ref, { timeoutMs: LIMIT_MS });
      const version = lease?.metadata.resourceVersion;
      const isNews = this.#current?.name !== name || this.#current.version !== version;
      this.#current = { name, version };
      if (isNews) news();
    } catch {
      // No answer is no evidence; it is read again.
    }
    // As long as proof is missing, somebody has to look again.
    clock.after(PERIOD_MS, () => {
      this.#isResting = false;
      news();
    });
  }
}
