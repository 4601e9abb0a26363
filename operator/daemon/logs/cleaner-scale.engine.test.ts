import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { LogsReport } from './report.ts';
import { NOW, Tree } from './testing/tree.ts';

/** A clean-up whose memory grew with the files would not live with this, MiB: 100,000 names and sizes take more. */
const HEAP_MIB = 20;

const CHILD = `
import { readFileSync } from 'node:fs';
const { LogsCleaner } = await import(process.argv[1] + '/cleaner.ts');
const { DEFAULT_LOG_POLICY } = await import(process.argv[1] + '/policy.ts');
const cleaner = new LogsCleaner({
  host: 'h1',
  root: process.argv[2],
  policy: () => ({ ...DEFAULT_LOG_POLICY, maxInstanceLogBytes: 40_000 * 4096 }),
  readLive: async () => new Map([['1001', 'cluster db/orders']]),
  readOpen: async () => ({ ids: new Set(), isComplete: true }),
  readDisk: async () => ({ totalBytes: 2 ** 40, freeBytes: 2 ** 39 }),
  now: () => new Date(Number(process.argv[3])),
});
const signal = new AbortController().signal;
const counts = [];
const report = await cleaner.apply(signal, progress => {
  const timer = setInterval(() => counts.push(progress().seen.logs), 20);
  timer.unref();
});
const [, peak] = /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'));
process.stdout.write(JSON.stringify({ report, counts: counts.length, peakMiB: peak / 1024 }));
`;

interface Outcome {
  report: LogsReport;
  counts: number;
  peakMiB: number;
}

describe('the clean-up of 100,000 files', function () {
  this.timeout(120_000);

  it('takes memory that does not grow with them, and tells how far it is', async () => {
    const tree = new Tree();
    try {
      fill(tree);
      const args = [`--max-old-space-size=${HEAP_MIB}`, '--input-type=module', '-e', CHILD, '--'];
      const { stdout } = await promisify(execFile)(process.execPath, [
        ...args,
        import.meta.dirname,
        tree.root,
        String(NOW),
      ]);
      const { report, counts, peakMiB } = JSON.parse(stdout) as Outcome;
      console.log(`      ${peakMiB.toFixed(0)} MiB at most`);
      expect(report.seen.logs).to.equal(80_010);
      expect(report.totals.LogAge!.items).to.equal(40_000);
      expect(report.totals.RmDataAge!.items).to.equal(1);
      expect(report.problems).to.deep.equal([]);
      expect(counts).to.be.above(5);
      expect(peakMiB).to.be.below(140);
    } finally {
      tree.remove();
    }
  });

  /** Most are empty: how many they are matters here. */
  function fill(tree: Tree): void {
    for (let n = 0; n < 40_000; n++) {
      tree.file(`1001/log/${n % 10}/postgresql-${n}_old.log`, 9, '');
      tree.file(`1001/log/postgresql-${n}_young.log`, 0.5 + n / 1e6, '');
    }
    for (let n = 0; n < 20_000; n++) tree.file(`rm_data_1/${n % 100}/${n}`, 99, '');
    for (let n = 0; n < 10; n++) tree.file(`1001/log/${n}/postgresql-999999_old.log`, 0, '');
    tree.age('rm_data_1', 99);
  }
});
