import { isNewer, type KubeObject } from '../kube/types.ts';

/** Operations come and go; what is written of late is ever among the last of them. */
const MOST_SHOWN = 64;

/** The newest of what a watch shows and what we wrote ourselves: a cache lags behind our own writes. */
export class Newest<T extends KubeObject> {
  /** By UID. */
  readonly #written = new Map<string, T>();
  /** UIDs that the watch has shown: when it shows them no longer they are gone. */
  readonly #shown = new Set<string>();

  /** What a write came back with. */
  wrote(object: T): T {
    this.#written.set(object.metadata.uid ?? '', object);
    return object;
  }

  /** @param seen as the watch shows it; undefined when it shows none */
  of(seen: T | undefined): T | undefined {
    if (!seen) return this.#unseen();
    const uid = seen.metadata.uid ?? '';
    this.#show(uid);
    const written = this.#written.get(uid);
    if (written && isNewer(written, seen)) return written;
    this.#written.delete(uid);
    return seen;
  }

  forget(): void {
    this.#written.clear();
    this.#shown.clear();
  }

  #show(uid: string): void {
    this.#shown.add(uid);
    const [oldest] = this.#shown;
    if (this.#shown.size > MOST_SHOWN && oldest !== undefined) this.#shown.delete(oldest);
  }

  /** Just made and not shown yet; what was shown before has been deleted. */
  #unseen(): T | undefined {
    for (const uid of this.#shown) this.#written.delete(uid);
    this.#shown.clear();
    return [...this.#written.values()].at(-1);
  }
}
