import { expect } from 'chai';
import type { CardView, SeenAddress } from './card.ts';
import { parseAddresses } from './ip-address.ts';
import { judgeNetwork, needsTelling } from './judge.ts';

const v4 = (address: string, over: Partial<SeenAddress> = {}): SeenAddress => ({
  address,
  family: 4,
  prefix: 24,
  isSecondary: false,
  ...over,
});
const v6 = (address: string, prefix = 64): SeenAddress => ({ address, family: 6, prefix, isSecondary: false });
const up = (...addresses: SeenAddress[]): CardView => ({
  card: 'bond1',
  state: 'up',
  kind: 'bond',
  lower: {},
  addresses,
});
const down: CardView = { ...up(), state: 'down' };
const absent: CardView = { ...up(), state: 'absent' };

describe('the address that clients use', () => {
  interface Case {
    seen: CardView;
    told?: SeenAddress[];
    published?: string;
    is: string | undefined;
  }
  const cases: Record<string, Case> = {
    'the only one': { seen: up(v4('10.0.0.5')), is: '10.0.0.5' },
    'IPv4 before IPv6, whichever comes first': { seen: up(v6('fd00::5'), v4('10.0.0.5')), is: '10.0.0.5' },
    'IPv6 where there is no other': { seen: up(v6('fd00::5')), is: 'fd00::5' },
    'an address of the network before one that floats': {
      seen: up(v4('10.0.0.99', { prefix: 32 }), v4('10.0.0.5')),
      is: '10.0.0.5',
    },
    'the first before those after it': {
      seen: up(v4('10.0.0.9'), v4('10.0.0.5')),
      told: [v4('10.0.0.9', { isSecondary: true }), v4('10.0.0.5')],
      is: '10.0.0.5',
    },
    'the published one while the card has it': {
      seen: up(v4('10.0.0.9'), v4('10.0.0.5')),
      published: '10.0.0.5',
      is: '10.0.0.5',
    },
    'another when the card has lost it': { seen: up(v4('10.0.0.9')), published: '10.0.0.5', is: '10.0.0.9' },
    'none on a card without': { seen: up(), published: '10.0.0.5', is: undefined },
    'the published one of a card that is down and shows none': { seen: down, published: '10.0.0.5', is: '10.0.0.5' },
    'none when the host says that a card that is down has none': {
      seen: down,
      told: [],
      published: '10.0.0.5',
      is: undefined,
    },
    'none of a card that is not there': { seen: absent, published: '10.0.0.5', is: undefined },
  };
  for (const [what, { seen, told, published, is }] of Object.entries(cases)) {
    it(what, () => {
      const fact = judgeNetwork({ seen, told, published, oob: undefined, gaps: [] });
      expect(fact.clientIp).to.equal(is);
    });
  }

  it('is asked of the host only where the kernel shows too little', () => {
    const seen = [up(v4('10.0.0.5')), up(), absent, down, up(v4('10.0.0.5'), v4('10.0.0.6'))];
    expect(seen.map(needsTelling)).to.deep.equal([false, false, false, true, true]);
  });
});

describe('parseAddresses', () => {
  const address = (over: object): object => ({
    family: 'inet',
    local: '10.0.0.5',
    prefixlen: 24,
    scope: 'global',
    ...over,
  });
  const told = (...list: object[]): SeenAddress[] =>
    parseAddresses('bond1', JSON.stringify([{}, { ifname: 'bond1', addr_info: list }]));

  it('takes what clients can use', () => {
    const second = address({ local: '10.0.0.6', secondary: true });
    const six = address({ family: 'inet6', local: 'fd00::5', prefixlen: 64 });
    expect(told(address({}), second, six)).to.deep.equal([
      v4('10.0.0.5'),
      v4('10.0.0.6', { isSecondary: true }),
      v6('fd00::5'),
    ]);
  });

  for (const why of [
    { scope: 'link' },
    { scope: 'host' },
    { deprecated: true },
    { tentative: true },
    { dadfailed: true },
    { family: 'mctp' },
  ]) {
    it(`leaves out ${JSON.stringify(why)}`, () => expect(told(address(why))).to.deep.equal([]));
  }

  it('refuses other texts', () => {
    for (const text of ['', '{}', 'Device "bond1" does not exist.', '[{"ifname":"bond1","addr_info":[{}]}]']) {
      expect(() => parseAddresses('bond1', text), text).to.throw();
    }
  });
});
