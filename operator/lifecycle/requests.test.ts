import { expect } from 'chai';
import type { KubeObject } from '../kube/types.ts';
import type { ClusterContext } from './context.ts';
import { listOperations, newOperation } from './operations.ts';
import { takeRequests } from './requests.ts';
import { clusterOf, localSpec } from './testing/fixtures.ts';

describe('requests by annotation', () => {
  function world(annotations: Record<string, string>) {
    const cluster = clusterOf(localSpec, { clusterStatus: 'Running' });
    cluster.metadata.annotations = annotations;
    const created: KubeObject[] = [];
    const patches: unknown[] = [];
    const events: string[] = [];
    const client = {
      create: (_type: unknown, object: KubeObject) => Promise.resolve(void created.push(object)),
      patchMerge: (_type: unknown, _ref: unknown, patch: unknown) => Promise.resolve(void patches.push(patch)),
    };
    const tools = {
      client,
      events: { record: (_about: unknown, note: { message: string }) => events.push(note.message) },
      log: { info: () => undefined },
    };
    const object = { apiVersion: 'v1', kind: 'MPDCluster', metadata: cluster.metadata, spec: localSpec };
    return { context: { cluster, object, tools } as unknown as ClusterContext, cluster, created, patches, events };
  }

  it('become operations, and the annotations go', async () => {
    const { context, created, patches } = world({ switchRw: '1004', 'polarbox.audit.x': 'y' });
    expect(await takeRequests(context, [])).to.equal(true);
    expect(created).to.have.length(1);
    expect(created[0]).to.deep.include({
      spec: {
        target: { kind: 'MPDCluster', name: 'orders' },
        type: 'switchRw',
        switchRw: { instance: '1004' },
        requestedBy: 'annotation',
      },
    });
    expect(patches).to.deep.equal([{ metadata: { annotations: { switchRw: null } } }]);
  });

  it('that cannot be read are told and go, and nothing is made', async () => {
    const { context, created, patches, events } = world({ restartIns: 'the red one' });
    expect(await takeRequests(context, [])).to.equal(true);
    expect(created).to.deep.equal([]);
    expect(events[0]).to.contain('restartIns');
    expect(patches).to.deep.equal([{ metadata: { annotations: { restartIns: null } } }]);
  });

  it('can be asked again when the one before has finished', async () => {
    const first = world({ restartCluster: 'T' });
    await takeRequests(first.context, []);
    const name = first.created[0]!.metadata.name;
    const finished = { ...newOperation(first.cluster, name, { type: 'restartCluster' }), status: { phase: 'Failed' } };
    const again = world({ restartCluster: 'T' });
    await takeRequests(again.context, listOperations([finished as Parameters<typeof listOperations>[0][number]]));
    expect(again.created[0]!.metadata.name).to.not.equal(name);
  });

  it('are not taken for one of those that the history keeps when older ones were pruned', async () => {
    const first = world({ restartCluster: 'T' });
    await takeRequests(first.context, []);
    const base = first.created[0]!.metadata.name.replace(/0$/, '');
    const kept = Array.from({ length: 20 }, (_, i) => ({
      ...newOperation(first.cluster, `${base}${i + 5}`, { type: 'restartCluster' }),
      status: { phase: 'Failed' },
    }));
    const again = world({ restartCluster: 'T' });
    await takeRequests(again.context, listOperations(kept as Parameters<typeof listOperations>[0]));
    expect(again.created[0]!.metadata.name).to.equal(`${base}25`);
  });

  it('cost nothing when there are none', async () => {
    const { context, patches } = world({ 'polarbox.audit.x': 'y' });
    expect(await takeRequests(context, [])).to.equal(false);
    expect(patches).to.deep.equal([]);
  });
});
