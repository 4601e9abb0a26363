import { expect } from 'chai';
import { RESOURCES } from '../kube/resources.ts';
import { MemoryApi } from '../kube/testing/memory-api.ts';
import { takeIds } from './ids.ts';

const namespace = 'system';
const message = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error as Error).message,
  );

function apiWith(data?: Record<string, string>): MemoryApi {
  const api = new MemoryApi(() => new Date(0));
  const metadata = { namespace, name: 'polardb4mpd-controller' };
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata, ...(data && { data }) };
  api.create(RESOURCES.configMaps, map);
  return api;
}

describe('ids', () => {
  it('count on from the original, and from 1000 where nobody counted yet', async () => {
    expect(await takeIds(apiWith().client(), namespace, 3)).to.deep.equal(['1000', '1001', '1002']);
    const api = apiWith({ NextClusterScopeCustInsId: '4711', other: 'x' });
    expect(await takeIds(api.client(), namespace, 2)).to.deep.equal(['4711', '4712']);
    const map = await api.client().get(RESOURCES.configMaps, { namespace, name: 'polardb4mpd-controller' });
    expect(map?.data).to.deep.equal({ NextClusterScopeCustInsId: '4713', other: 'x' });
  });

  it('are above those that are known, where the counter was lost', async () => {
    const client = apiWith().client();
    expect(await takeIds(client, namespace, 2, 1_006)).to.deep.equal(['1007', '1008']);
    expect(await takeIds(client, namespace, 1, 1_002)).to.deep.equal(['1009']);
  });

  it('are never given twice to several who take them at once', async () => {
    const api = apiWith();
    const taken = await Promise.all([1, 2, 3, 4].map(count => takeIds(api.client(), namespace, count)));
    expect(new Set(taken.flat()).size).to.equal(10);
  });

  it('are there for each of 200 clusters of one operator, and for those after one that failed', async () => {
    const client = apiWith().client();
    const failed = message(takeIds(client, 'elsewhere', 1));
    const taken = await Promise.all(Array.from({ length: 200 }, () => takeIds(client, namespace, 3)));
    expect(new Set(taken.flat()).size).to.equal(600);
    expect(await failed).to.contain('is missing');
  });

  it('are refused with the remedy when the map is missing or spoilt', async () => {
    const empty = new MemoryApi(() => new Date(0));
    expect(await message(takeIds(empty.client(), namespace, 1))).to.contain('apply the settings manifests again');
    const spoilt = apiWith({ NextClusterScopeCustInsId: 'many' });
    expect(await message(takeIds(spoilt.client(), namespace, 1))).to.contain('is "many"');
  });
});
