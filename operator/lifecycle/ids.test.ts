import { expect } from 'chai';
import { RESOURCES } from '../kube/resources.ts';
import { MemoryApi } from '../kube/testing/memory-api.ts';
import { takeHostPorts, releaseHostPorts, type PortOwner } from './host-ports.ts';
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

  it('are never given twice to several who take them at once', async () => {
    const client = apiWith().client();
    const taken = await Promise.all([1, 2, 3, 4].map(count => takeIds(client, namespace, count)));
    expect(new Set(taken.flat()).size).to.equal(10);
  });

  it('are refused with the remedy when the map is missing or spoilt', async () => {
    const empty = new MemoryApi(() => new Date(0));
    expect(await message(takeIds(empty.client(), namespace, 1))).to.contain('apply the settings manifests again');
    const spoilt = apiWith({ NextClusterScopeCustInsId: 'many' });
    expect(await message(takeIds(spoilt.client(), namespace, 1))).to.contain('is "many"');
  });
});

describe('ports on the host network', () => {
  const owner = (name: string): PortOwner => ({ namespace: 'shop', name, uid: `uid-of-${name}` });
  const site = { systemNamespace: namespace, external: { first: 36_000, last: 36_003 }, reserved: [] };

  it('are three for a cluster, and the same ones when it asks again', async () => {
    const client = apiWith().client();
    const ports = { engine: 5500, agent: 36_000, health: 36_001 };
    expect(await takeHostPorts(client, owner('a'), 5500, site)).to.deep.equal(ports);
    expect(await takeHostPorts(client, owner('a'), 5500, site)).to.deep.equal(ports);
  });

  it('leave out what is reserved or taken, and end', async () => {
    const client = apiWith().client();
    const reserved = { ...site, reserved: [{ first: 36_000, last: 36_000 }] };
    const ports = await takeHostPorts(client, owner('a'), 5500, reserved);
    expect(ports).to.deep.equal({ engine: 5500, agent: 36_001, health: 36_002 });
    expect(await message(takeHostPorts(client, owner('b'), 5501, reserved))).to.contain(
      'no port of 36000-36003 is free',
    );
  });

  it('of another cluster are refused, and free again when it has gone', async () => {
    const client = apiWith().client();
    await takeHostPorts(client, owner('a'), 5500, site);
    expect(await message(takeHostPorts(client, owner('b'), 5500, site))).to.contain('belongs to another cluster');
    await releaseHostPorts(client, owner('a'), namespace);
    expect((await takeHostPorts(client, owner('b'), 5500, site)).engine).to.equal(5500);
  });

  it('never fall to two clusters that ask at once', async () => {
    const client = apiWith().client();
    const both = await Promise.all(['a', 'b'].map((name, i) => takeHostPorts(client, owner(name), 5500 + i, site)));
    expect(new Set(both.flatMap(({ agent, health }) => [agent, health])).size).to.equal(4);
  });
});
