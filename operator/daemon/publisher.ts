import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { Cache } from '../kube/informer.ts';
import type { Outcome } from '../kube/queue.ts';
import { RESOURCES, type Node } from '../kube/resources.ts';
import { HOST_HEARTBEAT_MS } from '../model/host.ts';
import { nextConditions, REFRESHED, type HostConditionUpdate, type NodeCondition } from './conditions.ts';

export interface PublisherOptions {
  client: Pick<KubeClient, 'applyStatus'>;
  /** Caches the own node. */
  nodes: Cache<Node>;
  /** Name of the own node. */
  host: string;
  clock: Clock;
  random: () => number;
  /** What is to be said now; undefined: nothing is known yet, and what a former process said stays. */
  wanted: () => readonly HostConditionUpdate[] | undefined;
}

/**
 * Brings what is known of the host into the conditions of its node: in one write when something changed, and as a
 * heartbeat. As one apply of all of ours: what others say of the node is theirs.
 */
export class NodePublisher {
  readonly #options: PublisherOptions;
  /** The node as the last write left it, and the version that the cache had then. */
  #written: { from: string | undefined; node: Node } | undefined;
  #heartbeatAt = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** The conditions of the node as they stand, own writes included. */
  get conditions(): readonly NodeCondition[] {
    return this.#node?.status?.conditions ?? [];
  }

  /** A reconcile: writes if there is something to write, and wants to be called again when the heartbeat is due. */
  async run(signal: AbortSignal): Promise<Outcome> {
    const { client, host, clock, random, wanted, nodes } = this.#options;
    const seen = nodes.get({ name: host });
    const said = wanted();
    // A node that was deleted is made anew by its kubelet, which is not for us to do.
    if (!seen || !said) return undefined;
    const { conditions, isNews } = nextConditions(this.conditions, [...said, REFRESHED], clock.date());
    const waitMs = this.#heartbeatAt - clock.now();
    if (!isNews && waitMs > 0) return { requeueAfterMs: waitMs };
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: host },
      status: { conditions },
    } as unknown as Node;
    const written = await client.applyStatus(RESOURCES.nodes, node, { signal });
    this.#written = { from: seen.metadata.resourceVersion, node: written };
    // Hosts that started together do not write together for ever.
    const periodMs = HOST_HEARTBEAT_MS * (0.95 + 0.1 * random());
    this.#heartbeatAt = clock.now() + periodMs;
    return { requeueAfterMs: periodMs };
  }

  /** The cache may still lack our own write. */
  get #node(): Node | undefined {
    const seen = this.#options.nodes.get({ name: this.#options.host });
    return this.#written && this.#written.from === seen?.metadata.resourceVersion ? this.#written.node : seen;
  }
}
