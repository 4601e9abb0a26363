import type { MPDOperationSpecInput } from '../../crds/mpdoperation.ts';
import { MPD_OPERATIONS, type RawOperation } from '../../operator/kinds/mpd.ts';
import type { Database } from './database.ts';
import type { Place } from './place.ts';

/** Operations on one cluster, as a person makes them. */
export class Operations {
  readonly #place: Place;
  readonly #database: Database;

  constructor(place: Place, database: Database) {
    this.#place = place;
    this.#database = database;
  }

  /** @returns its name */
  async create(spec: Omit<MPDOperationSpecInput, 'target'>): Promise<string> {
    const { namespace, name: cluster } = this.#database;
    const { apiVersion, kind } = MPD_OPERATIONS;
    const { metadata } = await this.#place.client.create(MPD_OPERATIONS, {
      apiVersion,
      kind,
      metadata: { generateName: `${cluster}-e2e-`, name: '', namespace },
      spec: { target: { name: cluster }, ...spec },
    });
    return metadata.name;
  }

  async switchRw(instance: string): Promise<string> {
    return await this.create({ type: 'switchRw', switchRw: { instance } });
  }

  /** Waits for its end, however it ends. */
  async ended(name: string, deadlineMs = 60_000): Promise<RawOperation> {
    const { namespace } = this.#database;
    return await this.#place.eventually(
      `operation ${name} has ended`,
      async () => {
        const found = await this.#place.client.get(MPD_OPERATIONS, { namespace, name });
        const { phase = '', reason = '', message = '' } = found?.status ?? {};
        if (['Succeeded', 'Failed', 'Cancelled'].includes(phase)) return found;
        throw new Error(`${phase} ${reason} ${message}`);
      },
      { deadlineMs },
    );
  }
}
