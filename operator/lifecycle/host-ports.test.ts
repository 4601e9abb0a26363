import { expect } from 'chai';
import fc from 'fast-check';
import type { KubeClient } from '../kube/client.ts';
import { RESOURCES } from '../kube/resources.ts';
import { MemoryApi } from '../kube/testing/memory-api.ts';
import { MPD_CLUSTERS } from '../kinds/mpd.ts';
import { LABEL } from '../model/labels.ts';
import type { InstancePorts } from '../model/ports.ts';
import { releaseHostPorts, takeHostPorts, type PortOwner, type PortSite } from './host-ports.ts';
import { localSpec } from './testing/fixtures.ts';

const systemNamespace = 'system';
const site: PortSite = {
  systemNamespace,
  external: { first: 36_000, last: 36_003 },
  reserved: [],
  isUsed: () => false,
};
const newApi = (): MemoryApi => new MemoryApi(() => new Date(0));
const message = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error as Error).message,
  );

/** A cluster that is there, and owns ports. */
function ownerIn(api: MemoryApi, name: string): PortOwner {
  const { metadata } = api.create(MPD_CLUSTERS, {
    ...{ apiVersion: '', kind: 'MPDCluster', spec: localSpec },
    metadata: { namespace: 'shop', name },
  });
  return { namespace: 'shop', name, uid: metadata.uid! };
}

const reservedPorts = async (client: KubeClient): Promise<number[]> =>
  (await client.list(RESOURCES.configMaps, { namespace: systemNamespace, labelSelector: `${LABEL.component}=port` }))
    .map(({ metadata }) => Number(metadata.name.replace('polardb-port-', '')))
    .sort((a, b) => a - b);
const sorted = (all: readonly InstancePorts[]): number[] =>
  all.flatMap(({ engine, agent, health }) => [engine, agent, health]).sort((a, b) => a - b);

describe('ports on the host network', () => {
  it('are three for a cluster, and the same ones when it asks again', async () => {
    const api = newApi();
    const owner = ownerIn(api, 'a');
    const ports = await takeHostPorts(api.client(), owner, 5500, site);
    expect(ports.engine).to.equal(5500);
    expect(new Set([ports.agent, ports.health]).size).to.equal(2);
    for (const port of [ports.agent, ports.health]) expect(port).to.be.within(36_000, 36_003);
    expect(await takeHostPorts(api.client(), owner, 5500, site)).to.deep.equal(ports);
    expect(await reservedPorts(api.client())).to.deep.equal(sorted([ports]));
  });

  it('leave out what is reserved, taken, or in use on a host, and end', async () => {
    const api = newApi();
    const narrow = {
      ...site,
      external: { first: 36_000, last: 36_004 },
      reserved: [{ first: 36_000, last: 36_000 }],
      isUsed: (port: number) => port === 36_002 || port === 36_004,
    };
    const { agent, health } = await takeHostPorts(api.client(), ownerIn(api, 'a'), 5500, narrow);
    expect([agent, health].sort()).to.deep.equal([36_001, 36_003]);
    const second = takeHostPorts(api.client(), ownerIn(api, 'b'), 5501, narrow);
    expect(await message(second)).to.contain('no port of 36000-36004 is free');
  });

  it('of another cluster are refused, and free again when it has given them back', async () => {
    const api = newApi();
    const [a, b] = [ownerIn(api, 'a'), ownerIn(api, 'b')];
    await takeHostPorts(api.client(), a, 5500, site);
    expect(await message(takeHostPorts(api.client(), b, 5500, site))).to.contain('port 5500 belongs to shop/a');
    await releaseHostPorts(api.client(), a, systemNamespace);
    expect((await takeHostPorts(api.client(), b, 5500, site)).engine).to.equal(5500);
  });

  it("of a cluster that went without the operator are nobody's: its finalizer was taken off by hand", async () => {
    const api = newApi();
    const [a, b] = [ownerIn(api, 'a'), ownerIn(api, 'b')];
    await takeHostPorts(api.client(), a, 5500, site);
    api.delete(MPD_CLUSTERS, a, {});
    expect((await takeHostPorts(api.client(), b, 5500, site)).engine).to.equal(5500);
  });

  it('of such a cluster come back to a range that has no other left, also when one of its name was made again', async () => {
    const api = newApi();
    const narrow = { ...site, external: { first: 36_000, last: 36_001 } };
    const a = ownerIn(api, 'a');
    const before = await takeHostPorts(api.client(), a, 5500, narrow);
    const b = ownerIn(api, 'b');
    expect(await message(takeHostPorts(api.client(), b, 5501, narrow))).to.contain('no port of 36000-36001 is free');
    api.delete(MPD_CLUSTERS, a, {});
    ownerIn(api, 'a');
    const after = await takeHostPorts(api.client(), b, 5501, narrow);
    expect([after.agent, after.health].sort()).to.deep.equal([before.agent, before.health].sort());
    expect(await takeHostPorts(api.client(), b, 5501, narrow)).to.deep.equal(after);
  });

  it('of such a cluster stay where a host has a listener at them: its engine may still run', async () => {
    const api = newApi();
    const a = ownerIn(api, 'a');
    const narrow = { ...site, external: { first: 36_000, last: 36_001 } };
    await takeHostPorts(api.client(), a, 5500, narrow);
    api.delete(MPD_CLUSTERS, a, {});
    const used = { ...narrow, isUsed: (port: number) => port === 36_001 };
    const asked = takeHostPorts(api.client(), ownerIn(api, 'b'), 5501, used);
    expect(await message(asked)).to.contain('no port of 36000-36001 is free');
    expect(await reservedPorts(api.client())).to.include(36_001);
  });
});

/** An operator that is killed before its n-th call; 0: never. */
function mortal(api: MemoryApi, diesAt: number): KubeClient {
  let calls = 0;
  return api.client({
    before: () => (++calls === diesAt ? Promise.reject(new Error('killed')) : Promise.resolve()),
  });
}

describe('ports of many clusters that are made in the same second', () => {
  it('are distinct for 200 clusters', async () => {
    const api = newApi();
    const wide = { ...site, external: { first: 36_000, last: 39_999 } };
    const owners = Array.from({ length: 200 }, (_, i) => ownerIn(api, `c${i}`));
    const all = await Promise.all(owners.map((owner, i) => takeHostPorts(api.client(), owner, 5400 + i, wide)));
    expect(new Set(sorted(all)).size).to.equal(600);
    expect(await reservedPorts(api.client())).to.deep.equal(sorted(all));
  });

  it('are distinct, and none leaks, however often the operator is killed in between', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }), { maxLength: 6 }),
        async kills => {
          const api = newApi();
          // Just enough: a port that leaks would be missed by the last one.
          const exact = { ...site, external: { first: 36_000, last: 36_000 + 2 * Math.max(1, kills.length) - 1 } };
          const live = async (owner: PortOwner, engine: number, deaths: readonly number[]): Promise<InstancePorts> => {
            for (const at of deaths) {
              const said = await message(takeHostPorts(mortal(api, at), owner, engine, exact));
              expect(said).to.be.oneOf(['killed', 'no error']);
            }
            return takeHostPorts(api.client(), owner, engine, exact);
          };
          const owners = kills.map((deaths, i) => ({ owner: ownerIn(api, `c${i}`), deaths, engine: 5400 + i }));
          const all = await Promise.all(owners.map(({ owner, engine, deaths }) => live(owner, engine, deaths)));
          expect(new Set(sorted(all)).size).to.equal(3 * kills.length);
          expect(await reservedPorts(api.client())).to.deep.equal(sorted(all));
          await Promise.all(owners.map(({ owner }) => releaseHostPorts(api.client(), owner, systemNamespace)));
          expect(await reservedPorts(api.client())).to.deep.equal([]);
        },
      ),
      { numRuns: 200 },
    ));
});
