import { expect } from 'chai';
import { volumeMounts } from './mounts.ts';

const POD = '/var/lib/kubelet/pods/0f4b/volumes';
const line = (point: string, { options = 'rw,relatime', after = 'ext4 /dev/mapper/mpatha rw' } = {}): string =>
  `812 96 253:3 / ${point} ${options} shared:301 - ${after}\n`;
const pv = { volume: 'pv-1', fsType: 'ext4', source: '/dev/mapper/mpatha', number: '253:3', isBroken: false };

describe('mounted volumes', () => {
  for (const [what, text, mounts] of [
    ['CSI', line(`${POD}/kubernetes.io~csi/pv-1/mount`), [pv]],
    ['local', line(`${POD}/kubernetes.io~local-volume/pv-1`), [pv]],
    [
      'NFS, with a name that the kernel escapes',
      line('/kubelet\\040root/pods/1/volumes/kubernetes.io~nfs/pv-1', { after: 'nfs4 store:/a\\040b rw,vers=4.2' }),
      [{ ...pv, fsType: 'nfs4', source: 'store:/a b' }],
    ],
    ['mounted by two pods: once', line(`${POD}/kubernetes.io~csi/pv-1/mount`).repeat(2), [pv]],
    [
      'meant to be read only',
      line(`${POD}/x~csi/pv-1/mount`, { options: 'ro', after: 'ext4 /dev/mapper/mpatha ro' }),
      [pv],
    ],
    [
      'read-only by itself, as one of two mounts shows',
      line(`${POD}/x~csi/pv-1/mount`, { after: 'ext4 /dev/mapper/mpatha ro,errors=remount-ro' }) +
        line(`${POD}/x~csi/pv-1/mount`, { options: 'ro', after: 'ext4 /dev/mapper/mpatha ro,errors=remount-ro' }),
      [{ ...pv, isBroken: true }],
    ],
    [
      'stopped after an error, as Linux 6.15 and later say it',
      line(`${POD}/x~csi/pv-1/mount`, { after: 'ext4 /dev/mapper/mpatha rw,errors=remount-ro,emergency_ro' }),
      [{ ...pv, isBroken: true }],
    ],
    [
      'secrets and the like',
      line(`${POD}/kubernetes.io~projected/token`) + line(`${POD}/kubernetes.io~empty-dir/tmp`),
      [],
    ],
    ['subpaths', line('/var/lib/kubelet/pods/0f4b/volume-subpaths/pv-1/engine/0'), []],
    ['what else is mounted', '22 27 0:21 / /proc rw,relatime - proc proc rw\n\nnothing\n', []],
  ] as const) {
    it(what, () => expect(volumeMounts(text)).to.deep.equal(mounts));
  }
});
