import { expect } from 'chai';
import { formatIncarnation } from '../../operator/ha/incarnation.ts';
import type { GroupRecord } from '../../operator/ha/record.ts';
import type { Pod } from '../../operator/kube/resources.ts';
import { gaps, spans } from '../../scripts/load/report.ts';
import type { MPDClusterSpecInput } from '../../crds/mpdcluster/spec.ts';
import type { Database } from './database.ts';
import { localSpec } from './engine.ts';
import { Faults } from './faults.ts';
import { DatabaseLoad, type LoadOutcome } from './load.ts';
import type { Place } from './place.ts';
import type { Scenario } from './scenario.ts';

/** A cluster before or after a fault. */
export interface Standing {
  rw: Pod;
  record: GroupRecord;
}

/** What a fault came to, once all is well again. */
export interface Outcome extends LoadOutcome {
  before: Standing;
  after: Standing;
}

/** What a fault may work with. */
export interface UnderFault {
  rw: Pod;
  /** Node of the RW. */
  node: string;
  /** ROs whose node may have a fault without cutting this machine off from Services. */
  ros: readonly Pod[];
  load: DatabaseLoad;
  faults: Faults;
}

interface TrialOptions {
  /** Name of the cluster. @default db */
  name?: string;
  /** Of an RW and two ROs. @default localSpec(2) */
  spec?: MPDClusterSpecInput;
  /** How many of them stand in E when all is well. @default 2 */
  members?: number;
  /** Do ROs serve reads? @default true */
  readsOnRos?: boolean;
}

/** RW and ROs. */
const INSTANCES = 3;

/** Longest until all instances are back in their places, a base backup and a container's back-off included, ms. */
const WELL_MS = 150_000;

/** A new cluster that faults may befall, well. */
export async function newTrial(scene: Scenario, options: TrialOptions = {}): Promise<Trial> {
  const { name = 'db', spec = localSpec(INSTANCES - 1) } = options;
  const database = await scene.newCluster(name, spec);
  const trial = new FailoverTrial(scene, database, options);
  await trial.well();
  return { database, trial };
}

interface Trial {
  database: Database;
  trial: FailoverTrial;
}

/** Faults under write load against one cluster, and what must hold for each of them. */
export class FailoverTrial {
  readonly #scene: Place;
  readonly #database: Database;
  readonly #members: number;
  readonly #readsOnRos: boolean;

  constructor(scene: Place, database: Database, { members = 2, readsOnRos = true }: TrialOptions) {
    this.#scene = scene;
    this.#database = database;
    this.#members = members;
    this.#readsOnRos = readsOnRos;
  }

  /**
   * Lets a fault happen under write load. After it there is a writer again without help, every acknowledged row is in
   * the table, no two servers took turns in acknowledging, and all instances come back to their places.
   *
   * @param fault returns when what it did is taken back, or will not be
   */
  async survives(fault: (under: UnderFault) => Promise<void>): Promise<Outcome> {
    const outcome = await this.run(fault);
    const { before, after, events, verdict } = outcome;
    expect(verdict.lost, 'acknowledged rows that are lost').to.deep.equal([]);
    expect(verdict.acknowledged, 'acknowledged rows').to.be.greaterThan(0);
    const grants = after.record.epoch - before.record.epoch;
    const turns = spans(events);
    expect(turns.length, `servers that acknowledged in turn: ${JSON.stringify(turns)}`).to.be.at.most(grants + 1);
    const pauses = gaps(events).map(({ ms }) => Math.round(ms));
    console.log(`      gaps: ${pauses.join(', ') || 'none'} ms; epoch +${grants}`);
    return outcome;
  }

  /** As {@link survives}, and leaves the judgement to the caller. */
  async run(fault: (under: UnderFault) => Promise<void>): Promise<Outcome> {
    const { node, gateway } = await this.place();
    const before = await this.well();
    const ros = (await this.#database.pods('ro')).filter(({ spec }) => spec?.nodeName !== gateway);
    const faults = new Faults(this.#scene.local);
    const load = await DatabaseLoad.start(this.#scene, this.#database);
    try {
      await fault({ rw: before.rw, node, ros, load, faults });
      await faults.mendAll();
      const after = await this.#settled(load);
      const ended = await load.end();
      if (this.#readsOnRos) await this.#isEverywhere(load);
      return { before, after, ...ended };
    } finally {
      await load.stop();
      await faults.mendAll();
    }
  }

  /** Waits until another pod than this one holds the right and is published. */
  async successor(formerUid: string | undefined): Promise<Pod> {
    const database = this.#database;
    return await this.#scene.eventually(
      'there is a successor',
      async () => {
        const { holder } = await database.record();
        const published = await database.published();
        if (!holder || holder.podUid === formerUid || published !== formatIncarnation(holder)) {
          throw new Error(`the record names ${holder?.instanceId ?? 'nobody'}, published is ${published ?? 'nobody'}`);
        }
        return (await database.pods()).find(({ metadata }) => metadata.uid === holder.podUid);
      },
      { everyMs: 50 },
    );
  }

  /**
   * Waits until an RW is granted and published under a later epoch; it may be the former one's own instance.
   * @returns the record of then
   */
  async granted(formerEpoch: number): Promise<GroupRecord> {
    const database = this.#database;
    return await this.#scene.eventually('an RW is granted anew', async () => {
      const record = await database.record();
      const { epoch, holder } = record;
      const isPublished = holder && (await database.published()) === formatIncarnation(holder);
      return epoch > formerEpoch && isPublished ? record : undefined;
    });
  }

  /** Where the RW is, and the node by which this machine will reach Services while something befalls it. */
  async place(): Promise<{ node: string; gateway: string }> {
    const { rw } = await this.well();
    const node = rw.spec?.nodeName ?? '';
    return { node, gateway: await this.#gateway(node) };
  }

  /** Waits until the cluster is Ready with all its instances, and the members stand in E. */
  async well(): Promise<Standing> {
    const database = this.#database;
    return await this.#scene.eventually(
      `cluster ${database.name} is well`,
      async () => {
        await database.isReady();
        const [record, pods, rw] = await Promise.all([database.record(), database.pods(), database.rwPod()]);
        expect(pods, 'pods').to.have.lengthOf(INSTANCES);
        expect(record.holder?.podUid, 'the pod labelled as RW is that of the holder').to.equal(rw.metadata.uid);
        expect(record.members.filter(it => !it.pending).length, 'full members of E').to.equal(this.#members);
        return { rw, record };
      },
      { deadlineMs: WELL_MS },
    );
  }

  /** Well, and still the same after one more row: what a fault has begun may not show at once. */
  async #settled(load: DatabaseLoad): Promise<Standing> {
    for (;;) {
      const first = await this.well();
      await load.writes(WELL_MS);
      const second = await this.well();
      const isSame = first.record.epoch === second.record.epoch && first.rw.metadata.uid === second.rw.metadata.uid;
      if (isSame) return second;
    }
  }

  /** Lets this machine reach Services by a node that is not the RW's. */
  async #gateway(node: string): Promise<string> {
    const gateway = this.#scene.local.nodes.find(({ name }) => name !== node)?.name ?? '';
    await this.#scene.local.reachServicesBy(gateway);
    return gateway;
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
