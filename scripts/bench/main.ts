import { parseOptions } from '../quickstart/options.ts';
import { Progress } from '../quickstart/progress.ts';
import { remove } from '../quickstart/remove.ts';
import { BENCH, createCluster, openBench, removeClusters, secondsToReady, type Bench } from './bench-cluster.ts';
import { hasFailed, renderFigures, type Figure } from './figures.ts';
import { measureIdle } from './idle.ts';
import { agentMemory, measureMemory } from './memory.ts';
import { measureAddedRo, measureReady } from './ready.ts';
import { measureYaml } from './yaml.ts';

const USAGE = `Usage: npm run bench [-- WHAT ...]

Measures, several times each, and prints the smallest, the median and the largest of what it saw, beside what is
promised. Fails when a count is not as promised; times are told only. WHAT: yaml, ready, grow, idle, memory (all of them).
The machine should have nothing else to do: a run takes about fifteen minutes.
`;

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
  // Last: it leaves 30,000 objects in the cluster.
  memory: measureMemory,
};

const known = ['yaml', ...Object.keys(onCluster)];
const wanted = process.argv.slice(2);
if (wanted.some(word => !known.includes(word))) {
  process.stderr.write(USAGE);
  process.exitCode = 1;
} else {
  await measure(known.filter(word => wanted.length === 0 || wanted.includes(word)));
}

async function measure(words: readonly string[]): Promise<void> {
  const progress = new Progress(process.stderr);
  const figures: Figure[] = [];
  const removeAll = (): Promise<string> => remove(parseOptions(['--name', BENCH]), progress);
  try {
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
