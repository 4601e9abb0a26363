import type { SharedVolume } from './gather/shared-device.ts';

/**
 * What was found in order about one cluster, and by which signs. Agents are asked only when a sign changed, so an idle
 * cluster costs nothing; after a restart of the operator everything is looked at once. Nothing here is needed for
 * correctness.
 */
export class Memory {
  /** Of the cluster. */
  readonly uid: string;
  /** Version that the engine told last. */
  engineVersion: string | undefined;
  /** The volume behind the shared claim, once it is bound and was asked for. */
  sharedVolume: SharedVolume | undefined;
  readonly #signs = new Map<string, string>();
  readonly #waits = new Map<string, { reason: string; times: number }>();

  constructor(uid: string) {
    this.uid = uid;
  }

  isSettled(what: string, sign: string): boolean {
    return this.#signs.get(what) === sign;
  }

  settle(what: string, sign: string): void {
    this.#signs.set(what, sign);
    this.#waits.delete(what);
  }

  /**
   * When to look again at something that waits: soon at first, since most waits are short, then more and more seldom.
   * @returns 200 to 5,000 ms; from the start again when the reason has changed
   */
  pause(what: string, reason: string): number {
    const last = this.#waits.get(what);
    const times = last?.reason === reason ? last.times + 1 : 0;
    this.#waits.set(what, { reason, times });
    return Math.min(5_000, Math.round(200 * 1.3 ** times));
  }
}
