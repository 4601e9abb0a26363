import { ResourceEventType, ResourceMetaImpl, type ResourceEvent } from '@dot-i/k8s-operator';
import { Controller, type ControllerOptions } from './controller.ts';
import type { Cache } from './informer.ts';
import type { ResourceType } from './resources.ts';
import type { Change } from './store.ts';
import { keyOf, type KubeObject } from './types.ts';

const EVENT_TYPE = {
  ADDED: ResourceEventType.Added,
  MODIFIED: ResourceEventType.Modified,
  DELETED: ResourceEventType.Deleted,
} as const;

/**
 * Feeds the event handlers of the base class from a cache and a keyed queue: one object's events in order and one at a
 * time, those of different objects side by side, bursts as one, and again after a failure. A successor of the same
 * name is an object of its own, so its predecessor's delete is never lost.
 */
export class ResourceEvents {
  readonly controller: Controller;
  readonly #id: string;
  readonly #onEvent: (event: ResourceEvent) => Promise<void>;
  readonly #pending = new Map<string, ResourceEvent[]>();

  constructor(
    type: ResourceType,
    onEvent: (event: ResourceEvent) => Promise<void>,
    options: Omit<ControllerOptions, 'name' | 'reconcile'>,
  ) {
    this.#id = `${type.plural}.${type.apiVersion}`;
    this.#onEvent = onEvent;
    this.controller = new Controller({ ...options, name: this.#id, reconcile: key => this.#deliver(key) });
  }

  follow(cache: Cache<KubeObject>): void {
    cache.onChange(change => {
      const key = keyOf(change.object.metadata);
      this.#pending.set(key, merged(this.#pending.get(key) ?? [], this.#eventOf(change)));
      this.controller.enqueue(key);
    });
  }

  #eventOf(change: Change<KubeObject>): ResourceEvent {
    // The base class's type says Date where JSON has text; its code reads neither.
    const object = change.object as unknown as ResourceEvent['object'];
    const { type } = change;
    return { meta: ResourceMetaImpl.createWithId(this.#id, object), object, type: EVENT_TYPE[type] };
  }

  async #deliver(key: string): Promise<undefined> {
    for (let next = this.#pending.get(key)?.[0]; next; next = this.#pending.get(key)?.[0]) {
      await this.#onEvent(next);
      const rest = (this.#pending.get(key) ?? []).filter(event => event !== next);
      if (rest.length > 0) this.#pending.set(key, rest);
      else this.#pending.delete(key);
    }
  }
}

/** The events still to be delivered: of one object only the newest state, told as ADDED if nobody heard of it yet. */
function merged(pending: ResourceEvent[], event: ResourceEvent): ResourceEvent[] {
  const last = pending.at(-1);
  if (last?.object.metadata?.uid !== event.object.metadata?.uid || !last) return [...pending, event];
  const isStillNew = last.type === ResourceEventType.Added && event.type === ResourceEventType.Modified;
  return [...pending.slice(0, -1), isStillNew ? { ...event, type: ResourceEventType.Added } : event];
}
