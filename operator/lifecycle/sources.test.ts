import { expect } from 'chai';
import type { Cache } from '../kube/informer.ts';
import type { ConfigMap, DaemonSet, Node } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { portUsageName } from '../model/host.ts';
import { CachedSources, type Caches } from './sources.ts';
import { nodeOf, portMap, type ToldHost } from './testing/hosts.ts';

const cacheOf = <T extends KubeObject>(objects: readonly T[]): Cache<T> => ({
  isSynced: true,
  get: ({ name }) => objects.find(({ metadata }) => metadata.name === name),
  list: () => [...objects],
  byIndex: (_index, value) => objects.filter(({ metadata }) => metadata.name === value),
  onChange: () => () => undefined,
});

const heard = new Date('2026-01-01T00:00:00Z');
const told: ToldHost = { heard, isCutOff: true, clientIp: '192.0.2.7' };
const daemonSet: DaemonSet = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'polardb-stack-daemon' } };

describe('what the hosts say', () => {
  let looks = 0;
  const nodes = cacheOf<Node>([nodeOf('node-1', told), nodeOf('node-2')]);
  const counted: Cache<Node> = { ...nodes, list: () => (looks++, nodes.list()) };
  const sources = (daemonSets: readonly DaemonSet[], silentSeconds = 120): CachedSources => {
    const hostFacts = cacheOf<ConfigMap>([portMap('node-1', [5500], 'kube-system')]);
    const caches = { nodes: counted, hostFacts, daemonSets: cacheOf(daemonSets) } as unknown as Caches;
    return new CachedSources(caches, () => new Date(heard.getTime() + silentSeconds * 1_000));
  };

  it('is what their daemons found', () => {
    const host = sources([daemonSet]).hosts().of('node-1');
    expect(host?.isPortUsed(5500), portUsageName('node-1')).to.equal(true);
    expect(host?.conditions).to.have.lengthOf(3);
    expect(sources([daemonSet]).hosts().of('node-9')).to.equal(undefined);
  });

  for (const [what, left] of [
    ['are gone', []],
    ['go', [{ ...daemonSet, metadata: { ...daemonSet.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }]],
  ] as const) {
    it(`stays while the DaemonSet is replaced: of daemons that ${what}, what they said lately`, () => {
      const [told, untold] = sources(left, 90).hosts().all();
      expect([told!.conditions.length, told!.isPortUsed(5500), untold!.conditions]).to.deep.equal([3, true, []]);
    });

    it(`is nothing once the daemons ${what} and have fallen silent, whatever they left behind`, () => {
      const hosts = sources(left, 91).hosts();
      for (const host of [...hosts.all(), hosts.of('node-1')!]) {
        expect([host.conditions, host.isPortUsed(5500), host.versions, host.volumes]).to.deep.equal([
          [],
          false,
          undefined,
          undefined,
        ]);
      }
    });
  }

  it('is made out once for each look at a cluster', () => {
    const hosts = sources([daemonSet]).hosts();
    looks = 0;
    expect(hosts.all()).to.equal(hosts.all());
    expect(hosts.of('node-2')).to.equal(hosts.all()[1]);
    expect(looks).to.equal(1);
  });
});
