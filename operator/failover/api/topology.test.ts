import { expect } from 'chai';
import type { InstanceStatus } from '../../../crds/mpdcluster.ts';
import { endpointOf, findInstance } from './topology.ts';

const onHost: InstanceStatus = {
  hostClientIP: '192.0.2.7',
  netInfo: { netType: 'host', workingHostIP: '10.0.0.7', workingPort: 5500 },
};

describe('where clients of the original reach an instance', () => {
  for (const [what, instance, endpoint] of [
    ["the host's address for clients, on the host network", onHost, '192.0.2.7:5500'],
    ['the address of the node, while no other is known', { ...onHost, hostClientIP: undefined }, '10.0.0.7:5500'],
    [
      "the pod's own, on the pod network",
      { ...onHost, netInfo: { netType: 'pod', workingHostIP: 'fd00::7', workingPort: 5432 } },
      '[fd00::7]:5432',
    ],
    ['nowhere, before it has an address', { netInfo: { netType: 'host', workingPort: 5500 } }, undefined],
  ] as [string, InstanceStatus, string | undefined][]) {
    it(what, () => expect(endpointOf(instance)).to.equal(endpoint));
  }

  it('is a name of the instance by either address', () => {
    const status = { dbInstanceStatus: { 1002: onHost } };
    for (const text of ['192.0.2.7:5500', '10.0.0.7:5500']) expect(findInstance(status, text)).to.equal('1002');
    expect(findInstance(status, '192.0.2.7:5501')).to.equal(undefined);
  });
});
