import { expect } from 'chai';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SeenVolume, VolumesFact } from './fact.ts';
import { VolumesJob } from './job.ts';

const execute = promisify(execFile);

/** Image of an ext4, mounted at that path in the present directory. */
const mountExt4 = (path: string): string =>
  `mkdir -p ${path}; truncate -s 16M image; mkfs.ext4 -q -F image; mount -o loop,errors=remount-ro image ${path}`;

/** A container may have no loop devices. */
const hasExt4 = await execute('unshare', [
  '--mount',
  'sh',
  '-ec',
  `mount -t tmpfs none /mnt; cd /mnt; ${mountExt4('it')}; umount it`,
]).then(
  () => true,
  () => false,
);

/** The mounts of a host that is made for this test, and the disks of this machine. */
describe(`volumes of a real kernel (tmpfs${hasExt4 ? ', ext4' : ''})`, function () {
  this.timeout(60_000);
  let directory: string;
  let host: ChildProcess;
  let look: () => Promise<VolumesFact>;

  const sh = (line: string): Promise<unknown> =>
    execute('nsenter', ['--target', String(host.pid), '--mount', 'sh', '-ec', `cd ${directory}; ${line}`]);
  const podVolume = (plugin: string, name: string): string =>
    `kubelet/pods/0a1b/volumes/kubernetes.io~${plugin}/${name}`;
  const mounted = async (name: string): Promise<SeenVolume | undefined> =>
    (await look()).volumes.find(volume => volume.name === name);

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'volumes-'));
    host = spawn('unshare', ['--mount', 'sh', '-c', 'echo ready; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(host.stdout!, 'data');
    const proc = join(directory, 'proc');
    await mkdir(proc);
    // Process 1 of that host.
    await symlink(`/proc/${host.pid}`, join(proc, '1'));
    let fact: VolumesFact;
    const job = new VolumesJob({
      paths: { proc, sys: '/sys' },
      host: { run: () => Promise.resolve({ kind: 'off', why: 'no host commands' }) },
      map: { write: () => Promise.resolve(true) },
      facts: { publish: (_name, found) => (fact = found as VolumesFact) },
    });
    look = async () => {
      await job.run(new AbortController().signal);
      return fact;
    };
  });
  after(async () => {
    const ended = once(host, 'exit');
    host.stdin!.end();
    await ended;
    await rm(directory, { recursive: true });
  });

  it('are those that pods have mounted, as long as they have', async () => {
    const claim = podVolume('csi', 'pvc-7/mount');
    const token = podVolume('projected', 'token');
    await sh(`mkdir -p disk ${claim} ${token}; mount -t tmpfs first disk; mount -t tmpfs none ${token}`);
    expect((await look()).volumes).to.deep.equal([]);
    await sh(`mount --bind disk ${claim}`);
    expect((await look()).volumes).to.deep.equal([
      { name: 'pvc-7', fsType: 'tmpfs', source: 'first', device: undefined, health: 'unknown' },
    ]);
    await sh(`umount ${claim}`);
    expect((await look()).volumes).to.deep.equal([]);
  });

  it('have failed when their file system became read-only, not when a pod has them read-only', async () => {
    const [written, read] = [podVolume('local-volume', 'pv-1'), podVolume('local-volume', 'pv-2')];
    await sh(`mkdir -p own other ${written} ${read}; mount -t tmpfs own own; mount -t tmpfs other other`);
    await sh(`mount --bind own ${written}; mount --bind other ${read}; mount -o remount,bind,ro ${read}`);
    expect([await mounted('pv-1'), await mounted('pv-2')].map(it => it?.health)).to.deep.equal(['unknown', 'unknown']);
    await sh('mount -o remount,ro own');
    expect([await mounted('pv-1'), await mounted('pv-2')].map(it => it?.health)).to.deep.equal(['failed', 'unknown']);
    await sh('mount -o remount,rw own');
    expect((await mounted('pv-1'))?.health).to.equal('unknown');
  });

  const errorOfExt4 = async (): Promise<void> => {
    const volume = podVolume('local-volume', 'pv-ext4');
    await sh(mountExt4(volume));
    expect(await mounted('pv-ext4')).to.include({ fsType: 'ext4', health: 'unknown' });
    await sh('echo 1 >/sys/fs/ext4/$(losetup -j image -O NAME -n | sed s./dev/..)/trigger_fs_error');
    expect((await mounted('pv-ext4'))?.health).to.equal('failed');
    await sh(`umount ${volume}`);
    expect(await mounted('pv-ext4')).to.equal(undefined);
  };
  if (hasExt4) it('have failed after an error of ext4, however the kernel tells it', errorOfExt4);

  it('stand on the disks of the machine, with the sizes that the kernel has; no loop device is one', async () => {
    const { devices } = await look();
    for (const { name, kind, sizeBytes } of devices.filter(device => device.kind === 'disk')) {
      const sectors = Number(await readFile(`/sys/block/${name}/size`, 'utf8'));
      expect([name, kind, sizeBytes]).to.deep.equal([name, 'disk', sectors * 512]);
    }
    expect(devices.map(({ name }) => name).filter(name => /^(loop|zram)/.test(name))).to.deep.equal([]);
  });
});
