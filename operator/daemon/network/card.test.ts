import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { NetworkInterfaceInfo } from 'node:os';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { linkState, readCard, type CardView } from './card.ts';

describe('readCard', () => {
  let sys: string;
  beforeEach(() => {
    sys = mkdtempSync(join(tmpdir(), 'card-'));
    mkdirSync(join(sys, 'class/net'), { recursive: true });
  });
  afterEach(() => rmSync(sys, { recursive: true }));

  const has = (card: string, files: Record<string, string>, lower: string[] = []): void => {
    const folder = join(sys, 'class/net', card);
    mkdirSync(folder);
    const all = { operstate: 'up', carrier: '1', flags: '0x1003', type: '1', uevent: '', ...files };
    for (const [name, text] of Object.entries(all))
      if (text !== 'EINVAL') writeFileSync(join(folder, name), `${text}\n`);
    for (const below of lower) symlinkSync(`../${below}`, join(folder, `lower_${below}`));
  };
  const info = (family: 'IPv4' | 'IPv6', cidr: string): NetworkInterfaceInfo =>
    ({ family, cidr, address: cidr.split('/')[0]!, internal: false }) as NetworkInterfaceInfo;
  const look = (card: string, addresses: NetworkInterfaceInfo[] = []): Promise<CardView> =>
    readCard(card, { sys, interfaces: () => ({ [card]: addresses }) });

  it('tells a card with its addresses, without those of the link alone', async () => {
    has('eth0', {});
    const addresses = [info('IPv4', '10.0.0.5/24'), info('IPv6', 'fe80::1/64'), info('IPv6', 'fd00::5/64')];
    expect(await look('eth0', addresses)).to.deep.equal({
      card: 'eth0',
      state: 'up',
      kind: 'ethernet',
      lower: {},
      addresses: [
        { address: '10.0.0.5', family: 4, prefix: 24, isSecondary: false },
        { address: 'fd00::5', family: 6, prefix: 64, isSecondary: false },
      ],
    });
  });

  it('tells a bond and a VLAN with what they stand on', async () => {
    has('eth0', {});
    has('eth1', { operstate: 'down', carrier: '0' });
    has('bond1', { uevent: 'DEVTYPE=bond\nINTERFACE=bond1' }, ['eth0', 'eth1']);
    has('bond1.7', { uevent: 'DEVTYPE=vlan\nINTERFACE=bond1.7', operstate: 'lowerlayerdown', carrier: '0' }, ['bond1']);
    expect(await look('bond1')).to.deep.include({ kind: 'bond', state: 'up', lower: { eth0: 'up', eth1: 'down' } });
    expect(await look('bond1.7')).to.deep.include({ kind: 'vlan', state: 'lowerLayerDown', lower: { bond1: 'up' } });
  });

  it('tells a card that is switched off, whose carrier the kernel does not say, and one that is not there', async () => {
    has('eth0', { operstate: 'down', carrier: 'EINVAL', flags: '0x1002' });
    expect(await look('eth0')).to.deep.include({ state: 'down' });
    expect(await look('bond1')).to.deep.include({ state: 'absent' });
  });

  it('fails when no card can be seen at all: that is no word on this one', async () => {
    rmSync(join(sys, 'class'), { recursive: true });
    const failed = await look('eth0').catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(Error);
  });
});

describe('linkState', () => {
  for (const [operstate, hasCarrier, isSwitchedOn, state] of [
    ['up', true, true, 'up'],
    ['down', false, true, 'down'],
    ['dormant', true, true, 'down'],
    ['notpresent', false, false, 'down'],
    ['lowerlayerdown', false, true, 'lowerLayerDown'],
    ['unknown', true, true, 'up'],
    ['unknown', true, false, 'down'],
    ['unknown', false, true, 'unknown'],
    [undefined, false, false, 'absent'],
  ] as const) {
    it(`${operstate ?? 'gone meanwhile'}, ${hasCarrier ? '' : 'no '}carrier, switched ${isSwitchedOn ? 'on' : 'off'}: ${state}`, () =>
      expect(linkState({ operstate, hasCarrier, isSwitchedOn })).to.equal(state));
  }
});
