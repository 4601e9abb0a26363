import { expect } from 'chai';
import { FakeClock } from '../../kube/testing/fake-clock.ts';
import { DiskWatch, readDiskUse } from './disk.ts';
import { DEFAULT_LOG_POLICY } from './policy.ts';

describe('the watch of a disk', () => {
  it('asks for a clean-up once each time that the disk fills up', async () => {
    const clock = new FakeClock();
    const used: (number | Error)[] = [50, 85, 99, new Error('EIO'), 90, 84, 86, 86];
    let asked = 0;
    const readDisk = (): Promise<{ totalBytes: number; freeBytes: number }> => {
      const next = used.shift() ?? 0;
      return next instanceof Error ? Promise.reject(next) : Promise.resolve({ totalBytes: 100, freeBytes: 100 - next });
    };
    const policy = () => DEFAULT_LOG_POLICY;
    const watch = new DiskWatch({ path: '/', policy, readDisk, clock, onFull: () => asked++ });
    watch.start();
    const counts: number[] = [];
    for (let n = 0; n < 8; n++) {
      await clock.advance(60_000);
      counts.push(asked);
    }
    expect(counts).to.deep.equal([0, 1, 1, 1, 1, 1, 2, 2]);
    watch.stop();
    expect(clock.pending).to.equal(0);
  });

  it('measures as df does', async () => {
    const { totalBytes, freeBytes } = await readDiskUse('/');
    expect(freeBytes).to.be.within(1, totalBytes);
  });
});
