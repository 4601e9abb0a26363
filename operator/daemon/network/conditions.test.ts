import { expect } from 'chai';
import type { NetworkFact } from './fact.ts';
import { networkConditions, type NetworkConditionsView } from './conditions.ts';

const fact = (over: Partial<NetworkFact> = {}): NetworkFact => ({
  card: 'bond1',
  state: 'up',
  kind: 'bond',
  clientIp: '10.0.0.5',
  addresses: ['10.0.0.5'],
  lower: {},
  gaps: [],
  ...over,
});
const said = (of: NetworkFact | undefined, over: Partial<NetworkConditionsView> = {}): string[] =>
  networkConditions({
    card: 'bond1',
    network: of && { fact: of, at: new Date(0), ageMs: 0 },
    error: undefined,
    told: () => undefined,
    isOobOn: true,
    ...over,
  }).map(({ type, status, reason, message }) => `${type} ${status} ${reason} | ${message}`);

describe('network conditions, byte for byte as the original writes them', () => {
  it('card up, with an address', () =>
    expect(said(fact())).to.deep.equal([
      'NodeClientNetworkUnavailable False StateUP | bond1 StateUP',
      'NodeClientIP True bond1 | 10.0.0.5',
    ]));

  it('card down', () =>
    expect(said(fact({ state: 'down' }))[0]).to.equal('NodeClientNetworkUnavailable True StateDown | bond1 StateDown'));

  it('state not known', () =>
    expect(said(fact({ state: 'unknown' }))[0]).to.equal(
      'NodeClientNetworkUnavailable True StateUnKnown | bond1 StateUnKnown',
    ));

  it('no address: the last known one, else 0.0.0.0', () => {
    const without = fact({ clientIp: undefined });
    const told = () => ({ reason: 'bond1', message: '10.0.0.5' });
    const toldOfAnother = () => ({ reason: 'bond0', message: '10.0.0.5' });
    expect(said(without)[1]).to.equal('NodeClientIP False bond1 | 0.0.0.0');
    expect(said(without, { told })[1]).to.equal('NodeClientIP False bond1 | 10.0.0.5');
    expect(said(without, { told: toldOfAnother })[1]).to.equal('NodeClientIP False bond1 | 0.0.0.0');
  });

  it('management controller: its address, or why there is none', () => {
    expect(said(fact({ oob: { ip: '10.9.0.5' } }))[2]).to.equal('NodeOobIP True PowerOn | 10.9.0.5');
    expect(said(fact({ oob: { error: 'ipmitool: not found' } }))[2]).to.equal(
      'NodeOobIP False error: ipmitool: not found | 0.0.0.0',
    );
    expect(said(fact({ oob: { ip: '10.9.0.5' } }), { isOobOn: false })).to.have.length(2);
  });
});

describe('network conditions that the original lacks', () => {
  it('card absent, or above one that is down', () => {
    const gone = fact({ state: 'absent', clientIp: undefined });
    const above = fact({ card: 'bond1.7', state: 'lowerLayerDown', lower: { bond1: 'down' } });
    expect(said(gone)[0]).to.equal('NodeClientNetworkUnavailable True CardAbsent | bond1 CardAbsent');
    expect(said(above)[0]).to.equal(
      'NodeClientNetworkUnavailable True LowerLayerDown | bond1.7 LowerLayerDown: bond1 down',
    );
  });

  it('a look that failed, or is old, says that nothing is known', () => {
    const told = () => ({ reason: 'bond1', message: '10.0.0.5' });
    expect(said(undefined, { error: 'EACCES', told })).to.deep.equal([
      'NodeClientNetworkUnavailable Unknown ProbeFailed | bond1: EACCES',
      'NodeClientIP Unknown bond1 | 10.0.0.5',
    ]);
    const old = { fact: fact(), at: new Date(0), ageMs: 30_001 };
    expect(said(undefined, { network: old })[0]).to.match(/Unknown ProbeFailed/);
  });

  it('speak of the card that was seen until another one is', () =>
    expect(said(fact(), { card: 'bond0' })[1]).to.equal('NodeClientIP True bond1 | 10.0.0.5'));
});
