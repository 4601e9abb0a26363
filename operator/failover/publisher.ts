import type { Incarnation } from '../ha/incarnation.ts';
import { applyIfChanged } from '../kube/apply.ts';
import type { KubeClient } from '../kube/client.ts';
import { isReason } from '../kube/errors.ts';
import { RESOURCES, type EndpointSlice, type Pod } from '../kube/resources.ts';
import { ORIGINAL_LABEL, roleLabel } from '../model/labels.ts';
import type { Role } from '../model/roles.ts';
import { Newest } from './newest.ts';
import { buildRwEndpoints, publishedIncarnation, type Publication } from './publication.ts';
import type { GroupTarget } from './target.ts';
import type { ClusterInstance } from '../kinds/instances.ts';

type Client = Pick<KubeClient, 'apply' | 'patchMerge'>;

/** Decisions about the group wait for the answer: not longer than for one about its record, ms. */
const LIMIT_MS = 2_000;

const withLimit = (client: Client): Pick<KubeClient, 'apply'> => ({
  apply: (type, object) => client.apply(type, object, { timeoutMs: LIMIT_MS }),
});

/** The RW endpoint of one group: one write moves the traffic; labels follow, for people. */
export class Publisher {
  readonly #client: Client;
  readonly #slices = new Newest<EndpointSlice>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** Whom the endpoint leads to, our own last write included. @param seen as the watch shows the slice */
  published(seen: EndpointSlice | undefined): Incarnation | undefined {
    return publishedIncarnation(this.#slices.of(seen));
  }

  /** Leads the endpoint to `at`, or to nobody. */
  async publish(target: GroupTarget, at: Publication | undefined, seen: EndpointSlice | undefined): Promise<void> {
    const current = this.#slices.of(seen);
    const desired = buildRwEndpoints(target, at, current);
    const applied = await applyIfChanged(withLimit(this.#client), { type: RESOURCES.endpointSlices, desired, current });
    this.#slices.wrote(applied.object);
  }

  /** Role labels as the record says; a pod that goes meanwhile needs none. */
  async label(target: GroupTarget, pods: readonly Pod[], holder: Incarnation | undefined): Promise<void> {
    for (const instance of target.instances) {
      const pod = pods.find(it => it.metadata.name === instance.podName);
      const role = holder && roleOf(instance, holder);
      if (!pod || !role || pod.metadata.labels?.[ORIGINAL_LABEL.role] === roleLabel(role)) continue;
      await this.#label(pod, role);
    }
  }

  /** What was written is forgotten with the leadership: another one writes now. */
  forget(): void {
    this.#slices.forget();
  }

  async #label({ metadata }: Pod, role: Role): Promise<void> {
    const { resourceVersion } = metadata;
    const labels = { [ORIGINAL_LABEL.role]: roleLabel(role) };
    try {
      await this.#client.patchMerge(RESOURCES.pods, metadata, { metadata: { labels } }, { resourceVersion });
    } catch (error) {
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
    }
  }
}

function roleOf({ id, role }: ClusterInstance, holder: Incarnation): Role {
  if (holder.instanceId === id) return 'rw';
  return role === 'standby' ? 'standby' : 'ro';
}

/** Where an incarnation listens. @param at its own pod */
export function publicationOf(
  incarnation: Incarnation,
  { pod, instance, address }: { pod: Pod; instance: ClusterInstance; address: string },
): Publication {
  return {
    address,
    port: instance.ports.engine,
    nodeName: pod.spec?.nodeName ?? '',
    podName: pod.metadata.name,
    incarnation,
  };
}
