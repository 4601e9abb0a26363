import { expect } from 'chai';
import { RESOURCES, type Pod } from '../operator/kube/resources.ts';
import type { Database } from './support/database.ts';
import { localSpec, shareSpec } from './support/engine.ts';
import { throughout } from './support/eventually.ts';
import { scenario } from './support/scenario.ts';
import { sharedVolume, type SharedVolume } from './support/shared-volume.ts';

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute';
/** Longer than the control plane takes to notice a lost node here (10 s) and to act on it. */
const QUIET_MS = 15_000;

describe('a pod that was force-deleted while its host is cut off', function () {
  this.timeout(240_000);
  const scene = scenario('lost');

  /** Engines that run on a node for a cluster, as the node itself sees them: nobody else can while its link is cut. */
  async function enginesOn(node: string, database: Database): Promise<number> {
    const lines = (await scene.local.exec(node, ['ps', '-eo', 'ppid=,args='])).split('\n');
    const agents = lines.flatMap(line => /^\s*(\d+) \S*\/bin\/postgres -D/.exec(line)?.[1] ?? []);
    const environs = await Promise.all(agents.map(pid => scene.local.exec(node, ['cat', `/proc/${pid}/environ`])));
    return environs.filter(environ => environ.includes(`"uid":"${database.uid}"`)).length;
  }

  async function enginesOf(database: Database): Promise<number> {
    const counts = await Promise.all(scene.local.nodes.map(({ name }) => enginesOn(name, database)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async function loseAndForceDelete(database: Database): Promise<{ pod: Pod; node: string }> {
    const pod = await database.rwPod();
    const node = pod.spec?.nodeName ?? '';
    await scene.local.loseNode(node);
    const where = ['--namespace', scene.namespace, '--force', '--grace-period=0', '--wait=false'];
    await scene.kubectl.run('delete', 'pod', pod.metadata.name, ...where);
    return { pod, node };
  }

  it('keeps its name until the host is back: no twin comes up, then it heals', async () => {
    const database = await scene.newCluster('own', localSpec(0));
    await database.ready();
    await database.write('first');
    const { epoch } = await database.record();
    const { pod, node } = await loseAndForceDelete(database);
    try {
      await throughout(
        QUIET_MS,
        async () => {
          const pods = await database.pods();
          expect(pods.map(it => it.metadata.uid)).to.deep.equal([pod.metadata.uid]);
          expect(await enginesOf(database)).to.equal(1);
        },
        1_000,
      );
      const why = await database.condition('Ready', { status: 'False' });
      expect(why).to.contain('out-of-service').and.contain(node);
    } finally {
      await scene.local.restoreNode(node);
    }
    await scene.eventually(
      'it serves again from a new pod',
      async () => {
        await database.isReady();
        expect((await database.rwPod()).metadata.uid).not.to.equal(pod.metadata.uid);
        return true;
      },
      { deadlineMs: 120_000 },
    );
    expect((await database.record()).epoch).to.equal(epoch + 1);
    expect(await database.rows()).to.deep.equal(['first']);
    expect(await enginesOf(database)).to.equal(1);
    await database.delete();
    await database.gone();
  });

  describe('on a shared volume', () => {
    let volume: SharedVolume;
    let database: Database;

    before(async () => {
      volume = await sharedVolume(scene, 'lost-shared');
      database = await scene.newCluster('common', shareSpec(0, volume.claim));
      await database.ready();
      await database.write('first');
    });
    after(async () => {
      await database.delete();
      await database.gone();
      await volume.remove();
    });

    it('comes up on another host once the taint says that its own is off', async () => {
      const { pod, node } = await loseAndForceDelete(database);
      try {
        await throughout(
          QUIET_MS,
          async () => {
            expect((await database.pods()).map(it => it.metadata.uid)).to.deep.equal([pod.metadata.uid]);
            expect(await enginesOf(database)).to.equal(1);
          },
          1_000,
        );
        await switchOff(node);
        await scene.kubectl.run('taint', 'node', node, OUT_OF_SERVICE);
        await scene.eventually(
          'it serves from another host',
          async () => {
            await database.isReady();
            const now = await database.rwPod();
            return now.spec?.nodeName !== node ? now : undefined;
          },
          { deadlineMs: 120_000 },
        );
        expect(await enginesOf(database)).to.equal(1);
        expect((await database.record()).fence?.rung).to.equal(5);
      } finally {
        await scene.local.restoreNode(node);
        await scene.kubectl.run('taint', 'node', node, `${OUT_OF_SERVICE}-`);
      }
      await database.write('second');
      expect(await database.rows()).to.deep.equal(['first', 'second']);
      await scene.eventually('the host is back', async () => {
        const found = await scene.client.get(RESOURCES.nodes, { name: node });
        return found?.status?.conditions?.find(it => it.type === 'Ready')?.status === 'True' ? true : undefined;
      });
      await throughout(
        5_000,
        async () => {
          expect(await enginesOf(database)).to.equal(1);
        },
        1_000,
      );
      expect(await database.rows()).to.deep.equal(['first', 'second']);
    });

    /** As far as our pod goes, what happens when a host is switched off: all its processes end at once. */
    async function switchOff(node: string): Promise<void> {
      const pids = (await scene.local.exec(node, ['pgrep', '-x', 'tini'])).trim().split('\n');
      await scene.local.exec(node, ['kill', '-9', ...pids]);
      await scene.eventually('its engine is gone', async () =>
        (await enginesOn(node, database)) === 0 ? true : undefined,
      );
    }
  });
});
