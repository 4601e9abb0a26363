import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { LogsReport } from './report.ts';

/** A file system of 64 MiB that six logs and the one that is written fill to 94 %, with hours between them. */
const DISK = `
mount -t tmpfs -o size=64m none /mnt
mkdir -p /mnt/1001/log /mnt/1001/data
for n in 1 2 3 4 5 6; do
  dd if=/dev/zero of=/mnt/1001/log/postgresql-$n.log bs=1M count=10 2>/dev/null
  touch -d "$((9 - n)) hours ago" /mnt/1001/log/postgresql-$n.log
done
exec "$0" "$@"`;

/** The watch of the disk and the loop of the clean-up, as the daemon has them; a minute passes at once. */
const CHILD = `
import { readdirSync } from 'node:fs';
const [room, kube] = process.argv.slice(1);
const { FakeClock } = await import(kube + '/testing/fake-clock.ts');
const { DiskWatch, readDiskUse } = await import(room + '/disk.ts');
const { LogsCleaner } = await import(room + '/cleaner.ts');
const { DEFAULT_LOG_POLICY } = await import(room + '/policy.ts');
const clock = new FakeClock();
const policy = () => DEFAULT_LOG_POLICY;
const cleaner = new LogsCleaner({
  ...{ host: 'h1', root: '/mnt', policy, readDisk: readDiskUse },
  readLive: async () => new Map([['1001', 'cluster db/orders']]),
  readOpen: async () => ({ ids: new Set(), isComplete: true }),
  now: () => new Date(),
});
const asked = [];
const onFull = () => asked.push(cleaner.apply(new AbortController().signal));
const watch = new DiskWatch({ ...{ path: '/mnt', policy, readDisk: readDiskUse, clock }, onFull });
watch.start();
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
await clock.advance(60_000);
for (const end = Date.now() + 5_000; asked.length === 0 && Date.now() < end;) await pause(5);
const report = await asked[0];
for (let minute = 0; minute < 3; minute++) {
  // The next look is set when this one has its answer from the file system.
  await pause(20);
  await clock.advance(60_000);
}
process.stdout.write(JSON.stringify({ report, asked: asked.length, left: readdirSync('/mnt/1001/log') }));
`;

describe('a disk that fills up', () => {
  it('has its oldest logs cleaned up within a minute, until it is used ten per cent less, and once', async () => {
    const node = [process.execPath, '--input-type=module', '-e', CHILD, '--', import.meta.dirname];
    const args = ['--mount', 'sh', '-ec', DISK, ...node, `${import.meta.dirname}/../../kube`];
    const { stdout } = await promisify(execFile)('unshare', args);
    const { report, asked, left } = JSON.parse(stdout) as { report: LogsReport; asked: number; left: string[] };
    expect(report.totals.DiskPressure).to.deep.equal({ items: 2, bytes: 20 * 2 ** 20 });
    expect(report.problems).to.deep.equal([]);
    expect(left.sort()).to.deep.equal([3, 4, 5, 6].map(n => `postgresql-${n}.log`));
    expect(asked).to.equal(1);
  });
});
