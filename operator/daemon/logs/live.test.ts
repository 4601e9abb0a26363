import { expect } from 'chai';
import { KubeError } from '../../kube/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ResourceType } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import { instancesNamedBy, readLiveInstances } from './live.ts';

const cluster = (fields: object, name = 'orders'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'MPDCluster',
  metadata: { name, namespace: 'db' },
  ...fields,
});

/** Pages of one object each; `broken`: this page of pods fails. */
function clientOf(objects: Record<string, KubeObject[]>, broken?: number): KubeClient {
  const listPage = (type: ResourceType, { next }: { next?: string }): Promise<unknown> => {
    const at = Number(next ?? 0);
    const items = objects[type.plural] ?? [];
    if (type.plural === 'pods' && at === broken) {
      return Promise.reject(new KubeError({ status: 410, reason: 'Expired', message: 'too old' }));
    }
    return Promise.resolve({
      items: items.slice(at, at + 1),
      resourceVersion: '1',
      ...(at + 1 < items.length && { next: String(at + 1) }),
    });
  };
  return { listPage } as unknown as KubeClient;
}

describe('who names an instance', () => {
  for (const [what, fields, expected] of [
    ['an instance in status', { status: { dbInstanceStatus: { 1001: { insType: 'rw' } } } }, ['1001']],
    ['the leader', { status: { leaderInstanceId: '1002' } }, ['1002']],
    ['a request', { metadata: { name: 'x', annotations: { removeIns: '1003, 1004' } } }, ['1003', '1004']],
    ['a field that we do not know', { spec: { old: [{ ins: '1005' }] } }, ['1005']],
    ['an instance that was taken out', { status: { excludedInstances: ['1006'] } }, []],
    ['a message', { status: { conditions: [{ message: '1007' }] } }, []],
    ['nothing', {}, []],
  ] as const)
    it(`a cluster by ${what}`, () => expect([...instancesNamedBy(cluster(fields))]).to.deep.equal(expected));

  const pod = (id: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${id}`, namespace: 'db', labels: { 'apsara.metric.ins_id': id } },
  });

  it('takes every page of pods and clusters', async () => {
    const objects = {
      pods: [pod('1'), pod('2')],
      mpdclusters: [cluster({ status: { leaderInstanceId: '3' } }), cluster({ spec: { a: '4' } }, 'b')],
    };
    const live = await readLiveInstances(clientOf(objects), new AbortController().signal);
    expect(Object.fromEntries(live)).to.deep.equal({
      1: 'pod db/p1',
      2: 'pod db/p2',
      3: 'cluster db/orders',
      4: 'cluster db/b',
    });
  });

  it('fails when a page fails', async () => {
    const reading = readLiveInstances(clientOf({ pods: [pod('1'), pod('2')] }, 1), new AbortController().signal);
    expect(await reading.catch((error: unknown) => (error as KubeError).reason)).to.equal('Expired');
  });
});
