import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { isReason } from '../kube/errors.ts';
import { RESOURCES, type ConfigMap } from '../kube/resources.ts';
import type { ObjectRef } from '../kube/types.ts';
import { HOST_FACTS_LABEL } from '../model/host.ts';
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

  /** Makes the edit; true if something was written. @throws KubeError */
  async write(edit: FactEdit, signal?: AbortSignal): Promise<boolean> {
    try {
      return await this.#write(edit, signal);
    } catch (error) {
      this.#known = undefined;
      if (!isReason(error, 'Conflict') && !isReason(error, 'AlreadyExists') && !isReason(error, 'NotFound'))
        throw error;
      // It was changed, made or deleted meanwhile: once more with what is there now.
      return await this.#write(edit, signal);
    }
  }

  async #write(edit: FactEdit, signal: AbortSignal | undefined): Promise<boolean> {
    const { client, clock } = this.#options;
    const current = await this.#current(signal);
    const content = edit(current && contentOf(current), secondsOf(clock.date()));
    const isLabelled = current?.metadata.labels?.[HOST_FACTS_LABEL] === this.#options.job;
    if (!content && (isLabelled || !current)) return false;
    const wanted = this.#objectOf(current, content ?? contentOf(current!));
    const map = current
      ? await client.replace(RESOURCES.configMaps, wanted, { signal })
      : await client.create(RESOURCES.configMaps, wanted, { signal });
    this.#known = { map, since: clock.now() };
    return true;
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
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        ...(current?.metadata ?? ref),
        labels: { ...current?.metadata.labels, [HOST_FACTS_LABEL]: job },
        annotations: { ...current?.metadata.annotations, ...annotations },
        managedFields: undefined,
      },
      data: { ...data },
    };
  }
}

const contentOf = ({ data, metadata }: ConfigMap): FactContent => ({
  data: data ?? {},
  annotations: metadata.annotations ?? {},
});

/** `YYYY-MM-DDTHH:MM:SSZ` in UTC, the original's form. */
const secondsOf = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z');
