import { expect } from 'chai';
import type { PersistentVolume } from '../../kube/resources.ts';
import { hostOf } from '../testing/hosts.ts';
import { sharedVolumeOf, wwidOf } from './shared-device.ts';

const volumeOf = (spec: PersistentVolume['spec']): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'pv-1' },
  spec,
});
const at = (path: string) => ({ local: { path } });
const device = (wwid: string) => ({ kind: 'disk', wwid, health: 'healthy' });

describe('the device of a shared volume that nobody has mounted', () => {
  for (const [what, spec, devices, wwid] of [
    ['a WWID of Fibre Channel', { fc: { wwids: ['3600a'] } }, { 'device.sda': device('naa.600a') }, '3600a'],
    [
      'targets of Fibre Channel',
      { fc: { targetWWNs: ['500a'], lun: 1 } },
      { 'device.sda': device('naa.600a') },
      undefined,
    ],
    ['a link of SCSI', at('/dev/disk/by-id/scsi-3600A'), { 'device.mpatha': device('3600a') }, '3600a'],
    ['a link by WWN', at('/dev/disk/by-id/wwn-0x600a'), { 'device.sda': device('naa.600a') }, '3600a'],
    ['a link of multipath', at('/dev/disk/by-id/dm-uuid-mpath-3600a'), { 'device.x': device('3600a') }, '3600a'],
    ['a link of NVMe', at('/dev/disk/by-id/nvme-eui.01'), { 'device.nvme0n1': device('eui.01') }, 'eui.01'],
    ['a part of a disk', at('/dev/disk/by-id/wwn-0x600a-part1'), { 'device.sda': device('naa.600a') }, undefined],
    [
      'a path of the host',
      { hostPath: { path: '/dev/disk/by-id/scsi-3600a' } },
      { 'device.x': device('3600a') },
      '3600a',
    ],
    ['a name of the device mapper', at('/dev/mapper/lun7'), { 'device.lun7': device('3600a') }, '3600a'],
    ['a logical volume', at('/dev/mapper/vg-lv'), { 'device.sda': device('naa.600a') }, undefined],
    [
      'a handle of CSI that is a WWID',
      { csi: { driver: 'd', volumeHandle: '3600a' } },
      { 'device.x': device('3600a') },
      '3600a',
    ],
    [
      'a handle of CSI that is none',
      { csi: { driver: 'd', volumeHandle: 'vol-1' } },
      { 'device.x': device('3600a') },
      undefined,
    ],
    ['a WWID that no host sees', { fc: { wwids: ['3600b'] } }, { 'device.x': device('3600a') }, undefined],
    [
      'a device that tells no WWID',
      at('/dev/mapper/lun7'),
      { 'device.lun7': { kind: 'disk', health: 'healthy' } },
      undefined,
    ],
    ['a folder', at('/data'), { 'device.x': device('3600a') }, undefined],
  ] as [string, PersistentVolume['spec'], Record<string, object>, string | undefined][]) {
    it(`is told by ${what}: ${wwid}`, () => {
      const hosts = [hostOf('node-0'), hostOf('node-1', { volumes: devices })];
      expect(wwidOf(sharedVolumeOf('pv-1', volumeOf(spec)), hosts)).to.equal(wwid);
    });
  }

  it('is not told by a name that hosts give to different devices', () => {
    const volume = sharedVolumeOf('pv-1', volumeOf(at('/dev/mapper/mpatha')));
    const host = (name: string, wwid: string) => hostOf(name, { volumes: { 'device.mpatha': device(wwid) } });
    expect(wwidOf(volume, [host('node-0', '3600a'), host('node-1', '3600a')])).to.equal('3600a');
    expect(wwidOf(volume, [host('node-0', '3600a'), host('node-1', '3600b')])).to.equal(undefined);
  });

  it('is, once it is mounted, the one that it is mounted from', () => {
    const volumes = { 'volume.pv-1': { device: 'sdb', health: 'healthy' }, 'device.sdb': device('naa.600b') };
    const hosts = [hostOf('node-0', { volumes: { 'device.sda': device('naa.600a') } }), hostOf('node-1', { volumes })];
    expect(wwidOf(sharedVolumeOf('pv-1', volumeOf({ fc: { wwids: ['3600a'] } })), hosts)).to.equal('3600b');
    expect(wwidOf(sharedVolumeOf('pv-1', undefined), hosts)).to.equal('3600b');
  });
});
