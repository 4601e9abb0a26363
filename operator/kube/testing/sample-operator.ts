import type { ResourceEvent, ResourceMeta } from '@dot-i/k8s-operator';
import type { KubeClient } from '../client.ts';
import { StackOperator, type StackOperatorOptions } from '../operator.ts';
import type { Run } from '../controller.ts';
import type { Cache } from '../informer.ts';
import type { Outcome } from '../queue.ts';
import { RESOURCES, type ConfigMap } from '../resources.ts';
import { refOf } from '../types.ts';
import { silentLogger } from './support.ts';

/** Test only: an operator that copies `data.text` of every ConfigMap into a Secret of its name. */
export class SampleOperator extends StackOperator {
  configMaps!: Cache<ConfigMap>;
  readonly reconciled: string[] = [];
  readonly events: string[] = [];
  /** Runs before each reconcile; a test slows it down or lets it fail here. */
  before: (key: string, run: Run) => Promise<void> = () => Promise.resolve();
  /** The same for the handler of the base class's kind. */
  onSecret: (event: ResourceEvent) => Promise<void> = () => Promise.resolve();

  constructor(client: KubeClient, options: Partial<StackOperatorOptions> = {}) {
    super({ client, log: silentLogger, reflector: { backoff: { baseMs: 5, maxMs: 50 }, silenceMs: 500 }, ...options });
  }

  protected override async init(): Promise<void> {
    this.configMaps = this.watch(RESOURCES.configMaps, { namespaces: ['ns'] });
    this.controller({
      name: 'copy',
      workers: 2,
      backoff: { baseMs: 10, maxMs: 100 },
      reconcile: (key, run) => this.#copy(key, run),
    }).on(this.configMaps);
    await this.watchResource('', 'v1', 'secrets', async event => {
      await this.onSecret(event);
      this.events.push(`${event.type} ${event.meta.name}`);
    });
  }

  // What the base class protects, opened for its tests.
  override handleResourceFinalizer(...args: Parameters<StackOperator['handleResourceFinalizer']>): Promise<boolean> {
    return super.handleResourceFinalizer(...args);
  }

  override patchResourceStatus(...args: Parameters<StackOperator['patchResourceStatus']>): Promise<ResourceMeta> {
    return super.patchResourceStatus(...args);
  }

  override setResourceStatus(...args: Parameters<StackOperator['setResourceStatus']>): Promise<ResourceMeta> {
    return super.setResourceStatus(...args);
  }

  override registerCustomResourceDefinition(
    file: string,
  ): ReturnType<StackOperator['registerCustomResourceDefinition']> {
    return super.registerCustomResourceDefinition(file);
  }

  override watchResource(...args: Parameters<StackOperator['watchResource']>): Promise<void> {
    return super.watchResource(...args);
  }

  async #copy(key: string, run: Run): Promise<Outcome> {
    await this.before(key, run);
    const ref = refOf(key);
    const source = this.configMaps.get(ref);
    if (source) {
      const metadata = { name: ref.name, namespace: ref.namespace };
      const text = source.data?.text ?? '';
      await this.client.apply(RESOURCES.secrets, { apiVersion: 'v1', kind: 'Secret', metadata, data: { text } }, run);
    } else await this.client.delete(RESOURCES.secrets, ref, run);
    this.reconciled.push(key);
    return undefined;
  }
}
