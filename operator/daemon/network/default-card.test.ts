import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultCard } from './default-card.ts';

const HEADING = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const route4 = (card: string, metric: number, { to = '00000000', mask = '00000000', flags = '0003' } = {}): string =>
  `${card}\t${to}\t0101000A\t${flags}\t0\t0\t${metric}\t${mask}\t0\t0\t0`;
const ZEROS = '0'.repeat(32);
const route6 = (card: string, metric: string, flags = '00000003', length = '00'): string =>
  `${ZEROS} ${length} ${ZEROS} 00 fe800000000000000000000000000001 ${metric} 00000001 00000000 ${flags} ${card}`;

describe('the card of the default route', () => {
  let proc: string;
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'routes-'));
    mkdirSync(join(proc, 'self/net'), { recursive: true });
  });
  afterEach(() => rmSync(proc, { recursive: true }));

  const cases: [string, { route?: string[]; ipv6?: string[] }, string | undefined][] = [
    ['one', { route: [route4('eth0', 0, { to: '0000000A', mask: '00FFFFFF' }), route4('eth1', 100)] }, 'eth1'],
    ['two: the lower metric', { route: [route4('eth0', 200), route4('bond1', 100)] }, 'bond1'],
    [
      'half of everything is no default',
      { route: [route4('tun0', 0, { mask: '00000080' }), route4('eth0', 9)] },
      'eth0',
    ],
    ['a route that is down', { route: [route4('eth0', 0, { flags: '0002' })] }, undefined],
    ['IPv6 alone', { route: [], ipv6: [route6('eth0', '00000400'), route6('eth1', '00000064')] }, 'eth1'],
    ['IPv4 before IPv6', { route: [route4('eth0', 0)], ipv6: [route6('eth1', '00000001')] }, 'eth0'],
    ['IPv6 that is refused', { ipv6: [route6('lo', 'ffffffff', '00200200')] }, undefined],
    ['no table at all', {}, undefined],
  ];
  for (const [what, { route, ipv6 }, card] of cases) {
    it(what, async () => {
      if (route) writeFileSync(join(proc, 'self/net/route'), [HEADING, ...route, ''].join('\n'));
      if (ipv6) writeFileSync(join(proc, 'self/net/ipv6_route'), [...ipv6, ''].join('\n'));
      expect(await defaultCard(proc)).to.equal(card);
    });
  }
});
