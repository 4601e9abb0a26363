import { expect } from 'chai';
import { addressesOf, freeIndex, nodeAddress, overlaps, podSubnet } from './addresses.ts';

describe('addresses of local clusters', () => {
  it('lie inside the network of the cluster and do not meet each other', () => {
    const { network, services, pods, controlPlane, host, dns, kubernetesService } = addressesOf(3);
    const parts = [services, pods, controlPlane, host, nodeAddress(3, 1), nodeAddress(3, 99)];
    for (const part of parts) expect(overlaps(part, network), part).to.be.true;
    for (const [i, part] of parts.entries()) {
      for (const other of parts.slice(i + 1)) expect(overlaps(part, other), `${part} ${other}`).to.be.false;
    }
    expect(overlaps(dns, services) && overlaps(kubernetesService, services)).to.be.true;
    expect(overlaps(podSubnet(3, 1), pods) && overlaps(podSubnet(3, 99), pods)).to.be.true;
  });

  it('of two clusters never overlap', () =>
    expect(overlaps(addressesOf(0).network, addressesOf(1).network)).to.be.false);

  it('have link names that the kernel takes', () => expect(addressesOf(63).hostLink.length).to.be.at.most(15));

  for (const [what, taken, routes, index] of [
    ['the first on an empty machine', [], ['default', '192.168.1.0/24'], 0],
    ['the first gap', [0, 2], [], 1],
    ['not one whose network a VPN uses', [], ['10.160.7.0/24'], 1],
    ['not one inside a bigger network', [0], ['10.160.0.0/14'], 4],
  ] as const) {
    it(`the index is ${what}`, () => expect(freeIndex(taken, routes)).to.equal(index));
  }

  it('says so when everything is in use', () =>
    expect(() => freeIndex([], ['10.0.0.0/8'])).to.throw('no free network'));
});
