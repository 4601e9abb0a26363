import * as z from 'zod';
import type { AgentState } from '../agent-api/state.ts';
import type { DataFacts } from '../engine/profile.ts';
import type { DurableFile } from './state-store.ts';

/**
 * Whose data lies on the volume. The file lies beside the data (in `share` on the shared volume) and is written before
 * anything is installed, so a volume without it that holds data belongs to nobody we know.
 */
const identitySchema = z.object({
  clusterUid: z.string(),
  /** Epoch of the newest RW of this data: a record that knows less was restored from the past. */
  epoch: z.number(),
});

type Identity = z.infer<typeof identitySchema>;
export type VolumeState = AgentState['volume'];

export class Volume {
  readonly #file: DurableFile;
  readonly #clusterUid: string;
  readonly #look: () => Promise<DataFacts>;
  #known: DataFacts | undefined;

  constructor(file: DurableFile, clusterUid: string, look: () => Promise<DataFacts>) {
    this.#file = file;
    this.#clusterUid = clusterUid;
    this.#look = look;
  }

  /** @throws Error when the identity cannot be read */
  async state(): Promise<VolumeState> {
    const identity = await this.#read();
    return classify(identity, await this.#data(identity), this.#clusterUid);
  }

  /** Finished data is looked at once; call this after whatever may have changed it. */
  forget(): void {
    this.#known = undefined;
  }

  /** Makes the volume this cluster's. Only on one that is blank or was made its own before. */
  claim(epoch: number): Promise<void> {
    return this.#write({ clusterUid: this.#clusterUid, epoch });
  }

  /** Written before an RW of this epoch starts; never goes back. */
  async raiseEpoch(epoch: number): Promise<void> {
    const identity = await this.#read();
    if (identity && identity.epoch < epoch) await this.#write({ ...identity, epoch });
  }

  /** An engine that cannot look (its image lacks the programs) leaves what the identity says. */
  async #data(identity: Identity | undefined): Promise<DataFacts> {
    if (this.#known) return this.#known;
    const facts = await this.#look().catch(() => undefined);
    if (facts?.state === 'initialized') this.#known = facts;
    return facts ?? { state: identity ? 'initialized' : 'blank' };
  }

  async #read(): Promise<Identity | undefined> {
    const text = await this.#file.read();
    return text === undefined ? undefined : identitySchema.parse(JSON.parse(text));
  }

  #write(identity: Identity): Promise<void> {
    return this.#file.write(JSON.stringify(identity));
  }
}

/** Pure part of {@link Volume.state}. Data without an identity is foreign: it is never formatted and never adopted. */
export function classify(identity: Identity | undefined, data: DataFacts, clusterUid: string): VolumeState {
  if (!identity) return { ...data, state: data.state === 'blank' ? 'blank' : 'foreign' };
  return { ...data, ...identity, state: identity.clusterUid === clusterUid ? data.state : 'foreign' };
}
