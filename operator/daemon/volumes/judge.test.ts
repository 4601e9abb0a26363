import { expect } from 'chai';
import type { BlockDevice } from './block-devices.ts';
import { seenDevices, seenVolumes } from './judge.ts';
import { parseMultipaths } from './multipath.ts';

const GIB = 2 ** 30;
const block = (name: string, given: Partial<BlockDevice> = {}): BlockDevice => ({
  name,
  number: '8:0',
  sizeBytes: GIB,
  isReadOnly: false,
  isPhysical: true,
  isHidden: false,
  mapName: '',
  mapUuid: '',
  wwid: '',
  state: 'running',
  accessState: '',
  lower: [],
  ...given,
});
const mapper = (name: string, given: Partial<BlockDevice>): BlockDevice =>
  block(name, { isPhysical: false, state: '', number: '253:3', ...given });
const mpatha = mapper('dm-3', { mapName: 'mpatha', mapUuid: 'mpath-3600a', lower: ['sdb', 'sdc'] });

describe('devices', () => {
  for (const [what, devices, seen] of [
    ['a SCSI disk', [block('sda', { wwid: 'naa.600' })], [{ name: 'sda', health: 'healthy', wwid: 'naa.600' }]],
    ['offline', [block('sda', { state: 'transport-offline' })], [{ name: 'sda', health: 'failed' }]],
    [
      'an NVMe disk that connects again',
      [block('nvme0n1', { state: 'connecting' })],
      [{ name: 'nvme0n1', health: 'degraded' }],
    ],
    ['a driver that says nothing', [block('vda', { state: '' })], [{ name: 'vda', health: 'unknown' }]],
    ['a path of NVMe', [block('nvme0c0n1', { isHidden: true })], []],
    ['a logical volume', [mapper('dm-0', { mapName: 'vg-lv', mapUuid: 'LVM-x', lower: ['sda'] })], []],
    ['an empty drive', [block('sdz', { sizeBytes: 0 })], []],
    [
      'both paths up',
      [mpatha, block('sdb'), block('sdc')],
      [{ name: 'mpatha', wwid: '3600a', health: 'healthy', paths: { total: 2, active: 2 } }],
    ],
    [
      'one path down',
      [mpatha, block('sdb'), block('sdc', { state: 'offline' })],
      [{ name: 'mpatha', health: 'degraded', paths: { total: 2, active: 1 } }],
    ],
    ['no path', [{ ...mpatha, lower: [] }], [{ name: 'mpatha', health: 'failed', paths: { total: 0, active: 0 } }]],
    [
      'a partition of a multipath device is none of its own',
      [
        mpatha,
        mapper('dm-4', { mapName: 'mpatha1', mapUuid: 'part1-mpath-3600a', lower: ['dm-3'] }),
        block('sdb'),
        block('sdc'),
      ],
      [{ name: 'mpatha', health: 'healthy' }],
    ],
  ] as const) {
    it(what, () => {
      const found = seenDevices(devices, undefined);
      expect(found).to.have.length(seen.length);
      seen.forEach((one, n) => expect(found[n]).to.deep.include(one));
    });
  }

  describe('NVMe that the kernel itself reaches by several paths', () => {
    const path = (n: number, state: string, accessState = 'optimized'): BlockDevice =>
      block(`nvme0c${n}n1`, { isHidden: true, sizeBytes: 0, state, accessState });
    const disk = block('nvme0n1', { state: '', wwid: 'eui.01' });
    for (const [what, paths, active, health] of [
      ['both live', [path(0, 'live'), path(1, 'live', 'non-optimized')], 2, 'healthy'],
      ['an array without ANA', [path(0, 'live', ''), path(1, 'live', '')], 2, 'healthy'],
      ['one connects again', [path(0, 'connecting'), path(1, 'live')], 1, 'degraded'],
      ['one that the array does not serve', [path(0, 'live', 'inaccessible'), path(1, 'live')], 1, 'degraded'],
      ['none', [path(0, 'connecting'), path(1, 'live', 'persistent-loss')], 0, 'failed'],
    ] as const) {
      it(what, () => {
        const other = block('nvme0c0n2', { isHidden: true, state: 'dead' });
        expect(seenDevices([...paths, other, disk], undefined)).to.deep.equal([
          {
            name: 'nvme0n1',
            kind: 'multipath',
            wwid: 'eui.01',
            sizeBytes: GIB,
            isReadOnly: false,
            health,
            paths: { total: 2, active },
          },
        ]);
      });
    }
  });

  it('the multipath daemon knows better than the states of the disks', () => {
    const [seen] = seenDevices([mpatha, block('sdb'), block('sdc')], new Map([['mpatha', { total: 2, active: 1 }]]));
    expect(seen).to.deep.include({ health: 'degraded', paths: { total: 2, active: 1 } });
  });
});

describe('volumes', () => {
  const mount = { volume: 'pv-1', fsType: 'ext4', source: '/dev/mapper/mpatha', number: '253:3', isBroken: false };
  const blocks = [mpatha, block('sdb'), block('sdc', { state: 'offline' })];
  const volumeOf = (given: Partial<typeof mount>) =>
    seenVolumes([{ ...mount, ...given }], blocks, seenDevices(blocks, undefined))[0];

  it('are as their device is', () =>
    expect(volumeOf({})).to.deep.equal({
      name: 'pv-1',
      fsType: 'ext4',
      source: '/dev/mapper/mpatha',
      device: 'mpatha',
      health: 'degraded',
    }));
  it('have failed when their file system became read-only', () =>
    expect(volumeOf({ isBroken: true })?.health).to.equal('failed'));
  it('of a network are on no device', () =>
    expect(volumeOf({ number: '0:51' })).to.deep.include({ device: undefined, health: 'unknown' }));
});

describe('the word of multipathd', () => {
  const path = (dm_st: string, chk_st: string) => ({ dev: 'sdb', dev_t: '8:16', dm_st, dev_st: 'running', chk_st });
  const answer = (...paths: object[]): string =>
    JSON.stringify({
      major_version: 0,
      minor_version: 1,
      maps: [
        {
          name: 'mpatha',
          uuid: '3600a',
          sysfs: 'dm-3',
          path_groups: [
            { group: 1, paths: paths.slice(0, 1) },
            { group: 2, paths: paths.slice(1) },
          ],
        },
      ],
    });

  for (const [what, paths, active] of [
    ['ready, and the passive side of an array', [path('active', 'ready'), path('active', 'ghost')], 2],
    ['failed in the kernel', [path('active', 'ready'), path('failed', 'ready')], 1],
    ['not reached by the checker', [path('active', 'faulty'), path('active', 'ready')], 1],
    ['none', [path('failed', 'faulty'), path('failed', 'i/o timeout')], 0],
  ] as const) {
    it(what, () => expect(parseMultipaths(answer(...paths)).get('mpatha')).to.deep.equal({ total: 2, active }));
  }

  for (const text of ['', 'ok', '{}', '{"maps":[{"name":1}]}']) {
    it(`not this: "${text}"`, () => expect(() => parseMultipaths(text)).to.throw());
  }
});
