import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { isReason } from '../kube/errors.ts';
import { RESOURCES, type ConfigMap } from '../kube/resources.ts';
import type { ObjectRef } from '../kube/types.ts';
import { HOST_FACTS_LABEL, HOST_FACTS_STALE } from '../model/host.ts';
import type { JobName } from './loop.ts';

export interface FactMapOptions {
  client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  ref: Required<ObjectRef>;
  /** Who writes it: the value of its label. */
  job: JobName;
  clock: Clock;
}

/** What a job has a say in. */
export interface FactContent {
  data: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
}

/**
 * What the map is to hold, given what it holds; undefined when that is right already. Pure: after a conflict it is asked
 * again. `now`: for the stamp of a change.
 */
export type FactEdit = (current: FactContent | undefined, now: string) => FactContent | undefined;

/** What was written by hand is put right after this time, ms. */
const RECHECK_MS = 600_000;

/** A ConfigMap in which one job of this host publishes. It is read seldom, and written only when it changes. */
export class FactMap {
  readonly #options: FactMapOptions;
  /** As the server had it last, and when. */
  #known: { map: ConfigMap; since: number } | undefined;

  constructor(options: FactMapOptions) {
    this.#options = options;
  }

  /** Makes the edit, and says no more that the map is stale; true if something was written. @throws KubeError */
  write(edit: FactEdit, signal?: AbortSignal): Promise<boolean> {
    return this.#insist(() => this.#write(edit, signal));
  }

  /**
   * Says in the map, if there is one, that its job does not keep it up, until the next `write`. What says so already stays.
   * @param said since when and why; asked again after a conflict, undefined: it is kept up after all
   * @throws KubeError
   */
  tellStale(said: () => string | undefined, signal?: AbortSignal): Promise<boolean> {
    return this.#insist(async () => {
      const current = await this.#current(signal);
      const text = said();
      if (!current || text === undefined || isStale(current)) return false;
      await this.#put(current, { ...contentOf(current), annotations: { [HOST_FACTS_STALE]: text } }, signal);
      return true;
    });
  }

  async #insist(act: () => Promise<boolean>): Promise<boolean> {
    try {
      return await act();
    } catch (error) {
      this.#known = undefined;
      if (!isReason(error, 'Conflict') && !isReason(error, 'AlreadyExists') && !isReason(error, 'NotFound'))
        throw error;
      // It was changed, made or deleted meanwhile: once more with what is there now.
      return await act();
    }
  }

  async #write(edit: FactEdit, signal: AbortSignal | undefined): Promise<boolean> {
    const { clock, job } = this.#options;
    const current = await this.#current(signal);
    const content = edit(current && contentOf(current), secondsOf(clock.date()));
    if (!content && (!current || (current.metadata.labels?.[HOST_FACTS_LABEL] === job && !isStale(current))))
      return false;
    await this.#put(current, content ?? contentOf(current!), signal);
    return true;
  }

  async #put(current: ConfigMap | undefined, content: FactContent, signal: AbortSignal | undefined): Promise<void> {
    const { client, clock } = this.#options;
    const wanted = this.#objectOf(current, content);
    const map = current
      ? await client.replace(RESOURCES.configMaps, wanted, { signal })
      : await client.create(RESOURCES.configMaps, wanted, { signal });
    this.#known = { map, since: clock.now() };
  }

  async #current(signal: AbortSignal | undefined): Promise<ConfigMap | undefined> {
    const { client, clock, ref } = this.#options;
    if (this.#known && clock.now() - this.#known.since < RECHECK_MS) return this.#known.map;
    const map = await client.get(RESOURCES.configMaps, ref, { signal });
    this.#known = map && { map, since: clock.now() };
    return map;
  }

  #objectOf(current: ConfigMap | undefined, { data, annotations }: FactContent): ConfigMap {
    const { ref, job } = this.#options;
    const others = Object.entries(current?.metadata.annotations ?? {}).filter(([name]) => name !== HOST_FACTS_STALE);
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        ...(current?.metadata ?? ref),
        labels: { ...current?.metadata.labels, [HOST_FACTS_LABEL]: job },
        annotations: { ...Object.fromEntries(others), ...annotations },
        managedFields: undefined,
      },
      data: { ...data },
    };
  }
}

const contentOf = ({ data }: ConfigMap): FactContent => ({ data: data ?? {} });

const isStale = ({ metadata }: ConfigMap): boolean => metadata.annotations?.[HOST_FACTS_STALE] !== undefined;

/** `YYYY-MM-DDTHH:MM:SSZ` in UTC, the original's form. */
const secondsOf = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z');
