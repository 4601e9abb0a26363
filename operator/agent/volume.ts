import * as z from 'zod';
import { AgentError } from '../agent-api/errors.ts';
import type { AgentState } from '../agent-api/state.ts';
import type { DataFacts } from '../engine/profile.ts';
import type { ClaimableFile } from './places.ts';

/**
 * Whose data lies on the volume. The file lies beside the data (in `share` on the shared volume) and is written before
 * anything is installed, so a volume without it that holds data belongs to nobody we know.
 */
const identitySchema = z.object({
  clusterUid: z.string(),
  /** Epoch of the newest RW of this data: a record that knows less was restored from the past. */
  epoch: z.number(),
  /** The incarnation that was this RW. Absent in files of releases that did not write it, and where nobody was RW yet. */
  holder: z.string().optional(),
});

type Identity = z.infer<typeof identitySchema>;
export type VolumeState = AgentState['volume'];

export const FOREIGN =
  'the volume holds data of another cluster, or data that nobody accounts for; it is left as it is';

export class Volume {
  readonly #file: ClaimableFile;
  readonly #clusterUid: string;
  readonly #look: () => Promise<DataFacts>;
  /** Under way, or what it found. */
  #looked: Promise<DataFacts | undefined> | undefined;

  constructor(file: ClaimableFile, clusterUid: string, look: () => Promise<DataFacts>) {
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
    this.#looked = undefined;
  }

  /**
   * Makes the volume this cluster's. Only on one that is blank or was made its own before; of two clusters that claim one
   * shared volume at the same time, one gets it.
   * @throws AgentError `VolumeForeign`
   */
  async claim(epoch: number): Promise<void> {
    const identity: Identity = { clusterUid: this.#clusterUid, epoch };
    const owner =
      (await this.#read()) ?? ((await this.#file.create(JSON.stringify(identity))) ? identity : await this.#read());
    if (owner?.clusterUid !== this.#clusterUid) throw new AgentError('VolumeForeign', FOREIGN);
    if (owner.epoch !== epoch) await this.#write(identity);
  }

  /** Written before an RW of this epoch, the incarnation `holder`, starts; never goes back. */
  async raiseEpoch(epoch: number, holder: string): Promise<void> {
    const identity = await this.#read();
    if (identity && identity.epoch < epoch) await this.#write({ ...identity, epoch, holder });
  }

  /** An engine that cannot look (its image lacks the programs) leaves what the identity says. */
  async #data(identity: Identity | undefined): Promise<DataFacts> {
    this.#looked ??= this.#lookOnce();
    return (await this.#looked) ?? { state: identity ? 'initialized' : 'blank' };
  }

  /** For all who ask meanwhile: a look runs a program of the engine. What is not finished is looked at again. */
  #lookOnce(): Promise<DataFacts | undefined> {
    const looked = this.#look()
      .catch(() => undefined)
      .then(facts => {
        if (facts?.state !== 'initialized' && this.#looked === looked) this.#looked = undefined;
        return facts;
      });
    return looked;
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
