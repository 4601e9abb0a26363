import { expect } from 'chai';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RESOURCES, type Pod } from '../operator/kube/resources.ts';
import type { Database } from './support/database.ts';
import { localSpec } from './support/engine.ts';
import { changesSince, inventory } from './support/inventory.ts';
import { scenario } from './support/scenario.ts';
import { OPERATOR, SYSTEM_NAMESPACE } from './support/stack.ts';

/** Five kills in each phase; before some of them the next cluster is asked for, so that each finds work going on. */
const ASK_BEFORE_KILL = [0, 1, undefined, 2, undefined] as const;
/** A creation takes about so long when nobody disturbs it, a deletion a little less; moments lie within, ms. */
const LATEST_MS = { creating: 4_000, deleting: 2_500 };

describe('the operator, killed at random moments', function () {
  this.timeout(300_000);
  const scene = scenario('killed');
  const seed = Number(process.env.E2E_SEED ?? randomInt(2 ** 31));
  const random = seededRandom(seed);
  let before: string[];
  let databases: Database[];

  it(`creates what was asked for, each once (E2E_SEED=${seed})`, async () => {
    before = await inventory(scene.client, scene.namespace);
    databases = ['one', 'two', 'three'].map(name => scene.database(name));
    for (const next of ASK_BEFORE_KILL) {
      if (next !== undefined) await databases[next]?.create(localSpec(1));
      await killAtRandom(LATEST_MS.creating);
    }
    for (const database of databases) {
      const { status } = await database.ready();
      const pods = await database.pods();
      expect(Object.keys(status?.dbInstanceStatus ?? {}), database.name).to.have.lengthOf(2);
      expect(pods.map(pod => pod.metadata.name)).to.have.members(
        Object.values(status?.dbInstanceStatus ?? {}).map(it => it.podName),
      );
      expect((await database.record()).epoch, 'granted once').to.equal(1);
      await database.write('row');
      expect(await database.rows()).to.deep.equal(['row']);
    }
    const claims = await scene.client.list(RESOURCES.persistentVolumeClaims, { namespace: scene.namespace });
    expect(claims, 'a claim for each instance').to.have.lengthOf(2 * databases.length);
    const ids = await Promise.all(
      databases.map(async it => Object.keys((await it.get()).status?.dbInstanceStatus ?? {})),
    );
    expect(new Set(ids.flat()).size, 'ids are taken once').to.equal(2 * databases.length);
  });

  it(`deletes all of it and leaves nothing (E2E_SEED=${seed})`, async () => {
    for (const next of ASK_BEFORE_KILL) {
      if (next !== undefined) await databases[next]?.delete();
      await killAtRandom(LATEST_MS.deleting);
    }
    for (const database of databases) await database.gone();
    await scene.eventually('all is as before', async () => {
      const { more, fewer } = await changesSince(before, scene.client, scene.namespace);
      if (more.length + fewer.length === 0) return true;
      throw new Error(`left: ${more.join(', ')}; missing: ${fewer.join(', ')}`);
    });
  });

  /** Lets a leader work for a random time, then kills all operators as a lost host would: no drain, no release. */
  async function killAtRandom(latestMs: number): Promise<void> {
    await scene.eventually('an operator leads', async () => (await leader()) !== '' || undefined);
    // The random moment is what is tested here; nothing is waited for.
    await sleep(random() * latestMs);
    const pods = await operators();
    await Promise.all(pods.map(pod => killHard(pod)));
    const names = pods.map(pod => pod.metadata.name);
    const flags = [
      '--namespace',
      SYSTEM_NAMESPACE,
      '--force',
      '--grace-period=0',
      '--wait=false',
      '--ignore-not-found',
    ];
    await scene.kubectl.run('delete', 'pod', ...names, ...flags);
    await forgetLeader(names);
  }

  /** SIGKILL from the node: inside its container the first process cannot be killed. */
  async function killHard({ spec, metadata, status }: Pod): Promise<void> {
    const node = spec?.nodeName;
    const running = status?.containerStatuses?.[0]?.state?.running;
    if (!node || !running) return;
    const lines = (await scene.local.exec(node, ['ps', '-eo', 'pid=,args='])).split('\n');
    const pids = lines.flatMap(line => /^\s*(\d+) .*polardb-stack\.mjs operator /.exec(line)?.[1] ?? []);
    const ends = pids.map(pid => scene.local.exec(node, ['kill', '-9', pid]).catch(() => `${metadata.name} has ended`));
    await Promise.all(ends);
  }

  const operators = (): Promise<Pod[]> =>
    scene.client.list(RESOURCES.pods, {
      namespace: SYSTEM_NAMESPACE,
      labelSelector: 'app.kubernetes.io/component=operator',
    });

  async function leader(): Promise<string> {
    const lease = await scene.client.get(RESOURCES.leases, { namespace: SYSTEM_NAMESPACE, name: OPERATOR });
    return lease?.spec?.holderIdentity ?? '';
  }

  /** The dead cannot renew. That others wait for the end of its Lease is tested with the elector, and takes 15 s. */
  async function forgetLeader(dead: readonly string[]): Promise<void> {
    const holder = await leader();
    if (!dead.some(name => holder.startsWith(`${name}_`))) return;
    const ref = { namespace: SYSTEM_NAMESPACE, name: OPERATOR };
    await scene.client.patchMerge(RESOURCES.leases, ref, { spec: { holderIdentity: '' } });
  }
});

/** mulberry32: small, and the same on every machine. @returns numbers from 0 to 1 */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
