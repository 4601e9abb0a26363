import type { KubeObject } from '../kube/types.ts';

/** The newest of what a watch shows and what we wrote ourselves: a cache lags behind our own writes. */
export class Newest<T extends KubeObject> {
  readonly #written = new Map<string, T>();

  /** What a write came back with. */
  wrote(object: T): T {
    this.#written.set(object.metadata.uid ?? '', object);
    return object;
  }

  /** @param seen as the watch shows it; undefined when it shows none */
  of(seen: T | undefined): T | undefined {
    if (!seen) return this.#only();
    const uid = seen.metadata.uid ?? '';
    const written = this.#written.get(uid);
    if (written && isNewer(written, seen)) return written;
    this.#written.delete(uid);
    return seen;
  }

  forget(): void {
    this.#written.clear();
  }

  /** Just made, not shown yet. */
  #only(): T | undefined {
    return [...this.#written.values()].at(-1);
  }
}

/** Objects of one name are compared: the server counts their versions up. */
function isNewer(a: KubeObject, b: KubeObject): boolean {
  const [left, right] = [a, b].map(it => Number(it.metadata.resourceVersion ?? 0));
  return (left ?? 0) > (right ?? 0);
}
