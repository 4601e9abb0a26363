import { resource, RESOURCES, type Pod } from '../../operator/kube/resources.ts';
import type { KubeObject } from '../../operator/kube/types.ts';
import { eventually } from './eventually.ts';
import type { Place } from './place.ts';
import { programsOf, signal } from './processes.ts';

const namespace = 'polardb-system';
const REPLICAS = 2;

interface Deployment extends KubeObject {
  spec: { replicas: number };
  status?: { replicas?: number; readyReplicas?: number };
}
const DEPLOYMENTS = resource<Deployment>('apps/v1', 'Deployment', 'deployments');

/** A part of the stack that runs as a Deployment, with one leader among its pods. */
export class StackPart {
  readonly #place: Place;
  readonly #part: string;
  readonly #name: string;

  constructor(place: Place, part: 'operator' | 'cluster-manager') {
    this.#place = place;
    this.#part = part;
    this.#name = `polardb-stack-${part}`;
  }

  /** Waits until that many replicas are there and ready, and no other. */
  async scale(replicas: number): Promise<void> {
    const { client } = this.#place;
    await client.patchMerge(DEPLOYMENTS, { namespace, name: this.#name }, { spec: { replicas } });
    await eventually(`${this.#name} has ${replicas} replicas`, async () => {
      const status = (await client.get(DEPLOYMENTS, { namespace, name: this.#name }))?.status ?? {};
      const { replicas: all = 0, readyReplicas = 0 } = status;
      if (all === replicas && readyReplicas === replicas) return true;
      throw new Error(`${readyReplicas} of ${all} are ready`);
    });
  }

  /** Pod of the leader, once there is one whose pod is there. */
  async leader(): Promise<Pod> {
    const { client } = this.#place;
    return await eventually(`${this.#name} has a leader`, async () => {
      const lease = await client.get(RESOURCES.leases, { namespace, name: this.#name });
      const [name = ''] = lease?.spec?.holderIdentity?.split('_') ?? [];
      return name === '' ? undefined : await client.get(RESOURCES.pods, { namespace, name });
    });
  }

  /** Kills the leader's process, without a word to the API server. */
  async killLeader(): Promise<void> {
    signal('SIGKILL', await programsOf(await this.leader()));
  }

  /** Lets the part run in processes that were never killed: the kubelet holds up each further start of a container. */
  async renew(): Promise<void> {
    const { client } = this.#place;
    const labelSelector = `app.kubernetes.io/component=${this.#part}`;
    await eventually(`${this.#name} runs in new pods`, async () => {
      const pods = (await client.list(RESOURCES.pods, { namespace, labelSelector })).filter(
        ({ metadata }) => !metadata.deletionTimestamp,
      );
      const containers = pods.flatMap(({ status }) => status?.containerStatuses ?? []);
      if (pods.length === REPLICAS && containers.filter(it => it.ready && it.restartCount === 0).length === REPLICAS) {
        return true;
      }
      const worn = pods.filter(({ status }) => status?.containerStatuses?.some(it => it.restartCount > 0));
      await Promise.all(worn.map(({ metadata }) => client.delete(RESOURCES.pods, { namespace, name: metadata.name })));
      throw new Error(`${worn.length} of ${pods.length} pods were restarted`);
    });
  }

  /** Lets a node have the leader on it, or not: leaders that stand wrong are deleted, until one stands right. */
  async placeLeader(isRight: (node: string) => boolean): Promise<void> {
    await eventually(
      `the leader of ${this.#name} is placed`,
      async () => {
        const pod = await this.leader();
        if (isRight(pod.spec?.nodeName ?? '')) return true;
        await this.#place.client.delete(RESOURCES.pods, { namespace, name: pod.metadata.name });
        throw new Error(`it was on ${pod.spec?.nodeName ?? 'no node'}`);
      },
      { deadlineMs: 180_000, everyMs: 4_000 },
    );
    await this.scale(REPLICAS);
  }
}
