import { expect } from 'chai';
import { RESOURCES, type Pod } from '../operator/kube/resources.ts';
import { agentAndPostmaster, killInside, type PodRef } from './support/container.ts';
import type { Database } from './support/database.ts';
import { localSpec } from './support/engine.ts';
import { sandboxOf, signal } from './support/processes.ts';
import { scenario } from './support/scenario.ts';

describe('a cluster whose parts are taken away', function () {
  this.timeout(180_000);
  const scene = scenario('back');
  let database: Database;
  let instances: string[];
  let epoch: number;
  let written = 0;

  before(async () => {
    database = await scene.newCluster('back', localSpec(2));
    await database.ready();
    instances = Object.keys((await database.get()).status?.dbInstanceStatus ?? {});
  });
  beforeEach(async () => {
    await database.ready();
    await standInE();
    written += 1;
    await database.write(`row ${written}`);
    epoch = (await database.record()).epoch;
  });

  it('has another RW when the pod of its RW is deleted, which comes back as an RO', async () => {
    const before = await database.rwPod();
    await scene.client.delete(RESOURCES.pods, refOf(before));
    await replaced(before);
    await comesBack({ epochs: 1 });
    expect((await database.pods('ro')).map(({ metadata }) => metadata.name)).to.include(before.metadata.name);
  });

  it('gets an RO pod back as RO; the RW does not notice', async () => {
    const rw = await database.rwPod();
    const [before] = await database.pods('ro');
    await scene.client.delete(RESOURCES.pods, refOf(before!));
    await replaced(before!);
    await comesBack({ epochs: 0 });
    expect((await database.rwPod()).metadata.uid).to.equal(rw.metadata.uid);
  });

  it("starts an RO's engine again when its agent was killed", async () => {
    const [ro] = await database.pods('ro');
    const { agent } = await agentAndPostmaster(scene.kubectl, refOf(ro!));
    await killInside(scene.kubectl, refOf(ro!), agent);
    await startedAgain(ro!);
    await comesBack({ epochs: 0 });
  });

  it('starts an RO again in another sandbox, as after a restart of its host', async () => {
    const [ro] = await database.pods('ro');
    signal('SIGKILL', [await sandboxOf(ro!)]);
    await startedAgain(ro!);
    await comesBack({ epochs: 0 });
  });

  it('says that a pod has no place while its node is drained', async () => {
    const [ro] = await database.pods('ro');
    const node = ro?.spec?.nodeName ?? '';
    try {
      const flags = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=60s'];
      await scene.kubectl.run('drain', node, ...flags);
      await database.condition('Ready', { status: 'False', says: /1 node\(s\) were unschedulable/ }, 60_000);
      // The other RO goes on.
      expect(await database.rows('ro')).to.include('row 1');
    } finally {
      await scene.kubectl.run('uncordon', node);
    }
    await comesBack({ epochs: 0 });
    expect((await database.pods('ro')).map(({ spec }) => spec?.nodeName)).to.include(node);
  });

  it('does not notice the end of a kubelet', async () => {
    const rw = await database.rwPod();
    const node = rw.spec?.nodeName ?? '';
    const kubelet = (await scene.local.exec(node, ['pgrep', '-x', 'kubelet'])).trim();
    await scene.local.exec(node, ['kill', '-9', kubelet]);
    await scene.eventually('there is another kubelet', async () => {
      const now = (await scene.local.exec(node, ['pgrep', '-x', 'kubelet'])).trim();
      return now !== kubelet ? true : undefined;
    });
    await scene.eventually('the node is Ready, and so is the pod', async () => {
      const found = await scene.client.get(RESOURCES.nodes, { name: node });
      const heartbeat = found?.status?.conditions?.find(it => it.type === 'Ready');
      return heartbeat?.status === 'True' ? true : undefined;
    });
    await comesBack({ epochs: 0 });
    const after = await database.rwPod();
    expect(after.metadata.uid).to.equal(rw.metadata.uid);
    expect(restarts(after)).to.equal(restarts(rw));
  });

  /** Ready comes first: before both ROs are known to hold every acknowledged row, the RW's own instance is waited for. */
  async function standInE(): Promise<void> {
    await scene.eventually('both ROs are full members of E', async () => {
      const { members } = await database.record();
      return members.filter(({ pending }) => !pending).length === 2 ? true : undefined;
    });
  }

  /** Ready again without help: the same instances, one of them RW, every row, and no more grants than needed. */
  async function comesBack({ epochs }: { epochs: number }): Promise<void> {
    await scene.eventually(
      'all instances are as they were',
      async () => {
        await database.isReady();
        const { status } = await database.get();
        expect(Object.keys(status?.dbInstanceStatus ?? {})).to.have.members(instances);
        expect(Object.values(status?.dbInstanceStatus ?? {}).map(({ insType }) => insType)).to.have.members([
          'rw',
          'ro',
          'ro',
        ]);
        expect(await database.pods()).to.have.lengthOf(3);
        return true;
      },
      { deadlineMs: 120_000 },
    );
    expect((await database.record()).epoch, 'epoch').to.equal(epoch + epochs);
    const rows = Array.from({ length: written }, (_, i) => `row ${i + 1}`);
    for (const service of ['rw', 'ro'] as const) {
      await scene.eventually(`all rows are there through ${service}`, async () => {
        expect(await database.rows(service)).to.have.members(rows);
        return true;
      });
    }
  }

  /** The engine's container of this very pod is another one now. */
  async function startedAgain(before: Pod): Promise<void> {
    await scene.eventually('the container has started again', async () => {
      const now = (await database.pods('ro')).find(pod => pod.metadata.uid === before.metadata.uid);
      return now && restarts(now) > restarts(before) ? true : undefined;
    });
  }

  /** The pod of this name is another one now. */
  async function replaced({ metadata }: Pod): Promise<void> {
    await scene.eventually(`pod ${metadata.name} is another one`, async () => {
      const now = await scene.client.get(RESOURCES.pods, { namespace: scene.namespace, name: metadata.name });
      return now && now.metadata.uid !== metadata.uid ? true : undefined;
    });
  }

  const refOf = ({ metadata }: Pod): PodRef => ({ namespace: scene.namespace, name: metadata.name });
});

const restarts = ({ status }: Pod): number =>
  status?.containerStatuses?.find(it => it.name === 'engine')?.restartCount ?? 0;
