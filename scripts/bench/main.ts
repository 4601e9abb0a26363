import { parseArgs } from 'node:util';
import { parseOptions } from '../quickstart/options.ts';
import { Progress } from '../quickstart/progress.ts';
import { remove } from '../quickstart/remove.ts';
import { BENCH, createCluster, openBench, removeClusters, secondsToReady, type Bench } from './bench-cluster.ts';
import { watchEndpoint } from './client.ts';
import { measureFailover } from './failover.ts';
import { measureFleet } from './fleet.ts';
import { hasFailed, renderFigures, type Figure } from './figures.ts';
import { measureHosts } from './hosts.ts';
import { measureIdle } from './idle.ts';
import { agentMemory, measureMemory } from './memory.ts';
import { measureAddedRo, measureReady } from './ready.ts';
import { measureYaml } from './yaml.ts';

const USAGE = `Usage: npm run bench [-- WHAT ...] [--runs N] [--only TEXT]
       npm run bench -- client postgresql://USER:PASSWORD@HOST:PORT/DATABASE [--seconds N]

Measures, several times each, and prints the smallest, the median and the largest of what it saw, beside what is
promised. Fails when a count is not as promised; times are told only. WHAT: yaml, ready, grow, idle, memory (all of
these, fifteen minutes), failover (two hours; --runs: at most so many of each case, --only: cases whose name has this),
fleet (one cluster manager for 200 clusters; five minutes), hosts (a daemon on its host,
and those of 500 hosts; five minutes).
The machine should have nothing else to do.

client: writes a row every 10 ms into any PostgreSQL, as the failover cases do, and tells the pauses and what was lost.
`;

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string' }, only: { type: 'string' }, seconds: { type: 'string' } },
});

type Measure = (bench: Bench) => Promise<Figure[]>;

const onCluster: Record<string, Measure> = {
  async ready(bench) {
    return [
      await measureReady(bench, { name: '1 instance', clusters: 1, followers: 0, atMost: 8, runs: 5 }),
      await measureReady(bench, { name: '3 instances', clusters: 1, followers: 2, atMost: 15, runs: 5 }),
      await measureReady(bench, { name: '20 clusters of 1', clusters: 20, followers: 0, atMost: 30, runs: 3 }),
    ];
  },
  grow: async bench => [await measureAddedRo(bench)],
  async idle(bench) {
    const name = 'bench-idle';
    await createCluster(bench, name, 2);
    await secondsToReady(bench, [name]);
    const figures = [...(await measureIdle(bench, name)), await agentMemory(bench)];
    await removeClusters(bench, [name]);
    return figures;
  },
  failover: bench =>
    measureFailover(bench, { runs: Number(values.runs ?? Infinity), named: new RegExp(values.only ?? '') }),
  // Last: it leaves 30,000 objects in the cluster.
  memory: measureMemory,
};

const known = ['yaml', 'fleet', 'hosts', ...Object.keys(onCluster)];
const usual = known.filter(word => !['failover', 'fleet', 'hosts'].includes(word));
if (wanted[0] === 'client' && wanted.length === 2) {
  process.exitCode = await watchEndpoint(wanted[1]!, Number(values.seconds ?? Infinity));
} else if (wanted.some(word => !known.includes(word))) {
  process.stderr.write(USAGE);
  process.exitCode = 1;
} else {
  await measure(wanted.length === 0 ? usual : known.filter(word => wanted.includes(word)));
}

async function measure(words: readonly string[]): Promise<void> {
  const progress = new Progress(process.stderr);
  const figures: Figure[] = [];
  const removeAll = (): Promise<string> => remove(parseOptions(['--name', BENCH]), progress);
  try {
    if (words.includes('fleet')) figures.push(...(await progress.step('fleet', measureFleet)));
    if (words.includes('hosts')) figures.push(...(await progress.step('hosts', measureHosts)));
    if (words.includes('yaml')) figures.push(...(await progress.step('yaml', measureYaml)));
    const names = words.filter(word => word in onCluster);
    if (names.length > 0) {
      await removeAll();
      const bench = await openBench(progress);
      for (const name of names) figures.push(...(await progress.step(name, () => onCluster[name]!(bench))));
    }
  } finally {
    await removeAll();
    progress.close();
    if (figures.length > 0) process.stdout.write(`\n${renderFigures(figures)}`);
  }
  if (figures.some(hasFailed)) process.exitCode = 1;
}
