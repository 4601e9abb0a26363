import { expect } from 'chai';
import { describeAvoided, judgeHosts, type PlacementNeeds } from './placement.ts';
import { hostOf, type ToldHost } from './testing/hosts.ts';

const now = new Date('2026-01-01T12:00:00Z');
const ago = (ms: number): Date => new Date(now.getTime() - ms);
const heard = ago(20_000);
const volume = { name: 'pv-1', wwid: '3600' };
const lun = (health: string) => ({ 'device.mpatha': { kind: 'multipath', wwid: '3600', health } });
const disk = (wwid: string) => ({ 'device.sda': { kind: 'disk', wwid, health: 'healthy' } });
const ports = { engine: 5500, agent: 36_000, health: 36_001 };

describe('whether a host may take an instance', () => {
  for (const [what, told, needs, why] of [
    ['no daemon', {}, { ports, version: 'pg15' }, undefined],
    ['all well', { heard, isCutOff: false, ports: [22], versions: ['pg15'] }, { ports, version: 'pg15' }, undefined],
    ['a heartbeat just young enough', { heard: ago(90_000) }, {}, undefined],
    ['a heartbeat too old', { heard: ago(91_000) }, {}, 'its daemon has said nothing since 2026-01-01T11:58:29Z'],
    [
      'an old fact does not count: silence is what is told',
      { heard: ago(600_000), isCutOff: true },
      {},
      'its daemon has said nothing since 2026-01-01T11:50:00Z',
    ],
    ['no link', { heard, isCutOff: true }, {}, 'clients cannot reach it (bond1 StateDown)'],
    ['a card that tells no state', { heard, isCutOff: true, why: 'StateUnKnown' }, {}, undefined],
    ["the engine's port in use", { heard, ports: [5500] }, { ports }, 'port 5500 is in use there'],
    ["the agent's port in use", { heard, ports: [36_000] }, { ports }, 'port 36000 is in use there'],
    ['a port in use, on the pod network', { heard, ports: [5500] }, {}, undefined],
    [
      'an image that nobody pulls',
      { heard, versions: ['pg14'] },
      { version: 'pg15' },
      'it has not all images of version pg15, and none is pulled',
    ],
    ['a shared volume that it sees', { heard, volumes: lun('healthy') }, { volume }, undefined],
    ['a shared volume that it sees without multipath', { heard, volumes: disk('naa.600') }, { volume }, undefined],
    ['a shared volume with a path less', { heard, volumes: lun('degraded') }, { volume }, undefined],
    [
      'a shared volume whose device has failed',
      { heard, volumes: lun('failed') },
      { volume },
      'device mpatha of volume pv-1 has failed there',
    ],
    [
      'a shared volume that it does not see',
      { heard, volumes: disk('naa.700') },
      { volume },
      'it does not see the device of volume pv-1 (3600)',
    ],
    [
      'a shared volume that became read-only by itself',
      { heard, volumes: { 'volume.pv-1': { health: 'failed' } } },
      { volume: { name: 'pv-1' } },
      'volume pv-1 has failed there',
    ],
    ['a shared volume whose device nobody knows', { heard, volumes: {} }, { volume: { name: 'pv-1' } }, undefined],
    ['a shared volume, and a daemon that tells of none', { heard }, { volume }, undefined],
    ['an image that can be pulled', { heard, versions: ['pg14'] }, {}, undefined],
  ] as [string, ToldHost, Omit<PlacementNeeds, 'now'>, string | undefined][]) {
    it(what, () => {
      const { avoided } = judgeHosts([hostOf('node-1', told)], { ...needs, now });
      expect(avoided).to.deep.equal(why === undefined ? [] : [{ host: 'node-1', why }]);
    });
  }
});

describe('whether any host is left', () => {
  const good = hostOf('good', { heard, isCutOff: false });
  const bad = hostOf('bad', { heard, isCutOff: true });
  for (const [what, hosts, isHopeless] of [
    ['one is good', [good, bad], false],
    ['all are bad', [bad, hostOf('worse', { heard: ago(600_000) })], true],
    ['the good one is cordoned', [bad, hostOf('good', { heard, node: { unschedulable: true } })], true],
    [
      'the good one is tainted',
      [bad, hostOf('good', { heard, node: { taints: [{ key: 'x', effect: 'NoSchedule' }] } })],
      true,
    ],
    [
      'the good one is kept free',
      [bad, hostOf('good', { heard, labels: { 'mpd.polardb.aliyun.com/maintainNode': '' } })],
      true,
    ],
    ['none takes pods: the scheduler says so better', [hostOf('bad', { node: { unschedulable: true } })], false],
    ['none is known', [], false],
  ] as const) {
    it(what, () => expect(judgeHosts(hosts, { now }).isHopeless).to.equal(isHopeless));
  }
});

it('names some hosts and counts the rest', () => {
  const avoided = Array.from({ length: 7 }, (_, i) => ({ host: `node-${i}`, why: 'why' }));
  expect(describeAvoided(avoided.slice(0, 2))).to.equal('node-0: why; node-1: why');
  expect(describeAvoided(avoided)).to.match(/node-4: why; 2 more$/);
});
