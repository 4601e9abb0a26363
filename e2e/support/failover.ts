import { expect } from 'chai';
import type { GroupRecord } from '../../operator/ha/record.ts';
import type { Pod } from '../../operator/kube/resources.ts';
import { gaps, spans, type LoadEvent } from '../../scripts/load/report.ts';
import type { Database } from './database.ts';
import { Faults } from './faults.ts';
import { DatabaseLoad } from './load.ts';
import type { Scenario } from './scenario.ts';

/** A cluster before or after a fault. */
export interface Standing {
  rw: Pod;
  record: GroupRecord;
}

/** What a fault came to, once all is well again. */
export interface Outcome {
  before: Standing;
  after: Standing;
  events: readonly LoadEvent[];
}

/** What a fault may work with. */
export interface UnderFault {
  rw: Pod;
  load: DatabaseLoad;
  faults: Faults;
}

interface Size {
  /** RW and ROs. */
  instances: number;
  /** How many of them stand in E when all is well. */
  members: number;
}

/** Longest until all instances are back in their places, a base backup and a container's back-off included, ms. */
const WELL_MS = 150_000;

/** Faults under write load against one cluster, and what must hold for each of them. */
export class FailoverTrial {
  readonly #scene: Scenario;
  readonly #database: Database;
  readonly #size: Size;

  constructor(scene: Scenario, database: Database, size: Size) {
    this.#scene = scene;
    this.#database = database;
    this.#size = size;
  }

  /**
   * Lets a fault happen under write load. After it there is a writer again without help, every acknowledged row is in
   * the table, no two servers took turns in acknowledging, and all instances come back to their places.
   *
   * @param fault returns when what it did is taken back, or will not be
   */
  async survives(fault: (under: UnderFault) => Promise<void>): Promise<Outcome> {
    const before = await this.well();
    const faults = new Faults(this.#scene.local);
    const load = await DatabaseLoad.start(this.#scene, this.#database, { awayFrom: before.rw.spec?.nodeName });
    try {
      await fault({ rw: before.rw, load, faults });
      await load.writes(WELL_MS);
    } catch (error) {
      await load.stop();
      throw error;
    } finally {
      await faults.mendAll();
    }
    const after = await this.well();
    const events = await load.endWithoutLoss();
    if (this.#size.members > 0) await this.#isEverywhere(load);
    const grants = after.record.epoch - before.record.epoch;
    expect(spans(events).length, `servers in turn: ${JSON.stringify(spans(events))}`).to.be.at.most(grants + 1);
    console.log(
      `      gaps ${
        gaps(events)
          .map(({ ms }) => Math.round(ms))
          .join(', ') || 'none'
      } ms`,
    );
    return { before, after, events };
  }

  /** Waits until the cluster is Ready with all its instances, and the members stand in E. */
  async well(): Promise<Standing> {
    const database = this.#database;
    return await this.#scene.eventually(
      `cluster ${database.name} is well`,
      async () => {
        await database.isReady();
        const [record, pods, rw] = await Promise.all([database.record(), database.pods(), database.rwPod()]);
        expect(pods, 'pods').to.have.lengthOf(this.#size.instances);
        expect(record.holder?.podUid, 'the pod labelled as RW is that of the holder').to.equal(rw.metadata.uid);
        expect(record.members.filter(it => !it.pending).length, 'full members of E').to.equal(this.#size.members);
        return { rw, record };
      },
      { deadlineMs: WELL_MS },
    );
  }

  /** The rows of the load stand in every other instance too. */
  async #isEverywhere(load: DatabaseLoad): Promise<void> {
    const all = await load.count('rw');
    await this.#scene.eventually('read-only nodes have the rows', async () => {
      expect(await load.count('ro')).to.equal(all);
      return true;
    });
  }
}
