import { sleep, type Clock } from '../../kube/clock.ts';
import type { Logger } from '../../kube/types.ts';
import type { ImageService } from './cri.ts';
import { inSlot, type SlotOptions } from './slot.ts';

/** Getting images before a cluster needs them; keys of `controller-config`. */
export interface PrePullSettings {
  /** `prePullImages`. */
  isOn: boolean;
  /** `prePullHosts`: so many hosts pull at a time. */
  hosts: number;
  /** `prePullMiBPerSecond`: what one host takes of the network on average; 0: no limit. */
  mibPerSecond: number;
}

export interface PrePullOptions extends SlotOptions {
  settings: () => PrePullSettings;
  connect: () => ImageService;
  /** Something was pulled: look again at what is there. */
  onPulled: () => void;
  clock: Clock;
  log: Logger;
}

/**
 * Pulls what is missing on this host, one image after the other, while the host holds one of the site's slots. A runtime
 * cannot be told how fast to pull: the limit is kept by pauses, in which the slot stays taken. What fails is tried again
 * after the next check.
 */
export class PrePull {
  readonly #options: PrePullOptions;
  #wanted: readonly string[] = [];
  #running: { abort: AbortController; ended: Promise<void> } | undefined;

  constructor(options: PrePullOptions) {
    this.#options = options;
  }

  /** These are missing now. It begins at once, or goes on with these; with none, or switched off, it ends. */
  want(images: readonly string[]): void {
    this.#wanted = this.#options.settings().isOn ? images : [];
    if (this.#wanted.length === 0) this.#running?.abort.abort(new Error('nothing is to be pulled any more'));
    else this.#running ??= this.#start();
  }

  /** Calls off what is under way, and waits for its end. */
  async stop(): Promise<void> {
    const ended = this.#running?.ended;
    this.want([]);
    await ended;
  }

  #start(): { abort: AbortController; ended: Promise<void> } {
    const abort = new AbortController();
    const { log, settings } = this.#options;
    const work = (signal: AbortSignal): Promise<void> => this.#pullAll(signal);
    const ended = inSlot(this.#options, settings().hosts, abort.signal, work)
      .catch((error: unknown) => {
        if (!abort.signal.aborted) log.warn('images were not pulled', { error });
      })
      .finally(() => (this.#running = undefined));
    return { abort, ended };
  }

  async #pullAll(signal: AbortSignal): Promise<void> {
    const { connect, log, onPulled } = this.#options;
    const service = connect();
    const tried = new Set<string>();
    const next = (): string | undefined => this.#wanted.find(image => !tried.has(image));
    try {
      for (let image = next(); image !== undefined; image = next()) {
        tried.add(image);
        try {
          await this.#pull(service, image, signal);
          onPulled();
        } catch (error) {
          signal.throwIfAborted();
          log.warn('an image cannot be pulled', { image, error });
        }
      }
    } finally {
      service.close();
    }
  }

  async #pull(service: ImageService, image: string, signal: AbortSignal): Promise<void> {
    const { clock, log, settings } = this.#options;
    const since = clock.now();
    await service.pull(image, signal);
    const { bytes = 0 } = (await service.find(image, signal)) ?? {};
    const ms = clock.now() - since;
    log.info('image pulled', { image, bytes, ms: Math.round(ms) });
    const { mibPerSecond } = settings();
    if (mibPerSecond > 0) await sleep(clock, (bytes / 2 ** 20 / mibPerSecond) * 1_000 - ms, signal);
  }
}
