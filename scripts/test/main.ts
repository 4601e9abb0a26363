import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { down } from '../kubernetes/cluster.ts';
import { select, type Stage } from './stages.ts';
import { warmUp } from './warm.ts';

interface Counts {
  passed: number;
  failed: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { engine: { type: 'string' }, image: { type: 'string' } },
});
const stages = select(positionals);
const interrupt = new AbortController();
// The stage that runs gets it too and ends; what is left then is to clean up.
process.once('SIGINT', () => interrupt.abort());

const counts = await runAll();
await removeClusters();
process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed\n`);
process.exitCode = interrupt.signal.aborted || counts.failed > 0 || counts.passed === 0 ? 1 : 0;

async function runAll(): Promise<Counts> {
  const total: Counts = { passed: 0, failed: 0 };
  const warming = stages.some(stage => stage.cluster) ? warmUp() : Promise.resolve();
  for (const stage of stages) {
    if (interrupt.signal.aborted) break;
    // Tests have time limits: they get the machine for themselves.
    if (stage.kind === 'mocha') await warming;
    const started = Date.now();
    process.stdout.write(`\n== ${stage.name}\n`);
    const result = await runStage(stage);
    total.passed += result.passed;
    total.failed += result.failed;
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stdout.write(`== ${stage.name}: ${result.passed} passed, ${result.failed} failed (${seconds} s)\n`);
  }
  return total;
}

/** With KEEP=1 the clusters stay up: the next run saves their start, and a person can look at what failed. */
async function removeClusters(): Promise<void> {
  if (process.env.KEEP === '1') return;
  await Promise.all(stages.flatMap(({ cluster }) => (cluster ? [down(cluster)] : [])));
}

async function runStage(stage: Stage): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'polardb-stack-test-'));
  try {
    const countsFile = join(folder, 'counts');
    const mocha = stage.kind === 'mocha';
    const extra = mocha ? ['--reporter', './scripts/test/reporter.ts'] : [];
    const code = await run(stage.command, [...stage.args, ...extra], countsFile);
    return mocha ? mochaCounts(countsFile, code) : { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A run that died before its end, or found no test, has failed whatever it counted. */
function mochaCounts(file: string, code: number): Counts {
  const [passed = 0, failed = 0] = readCounts(file);
  const broken = failed === 0 && (code !== 0 || passed === 0);
  return { passed, failed: broken ? 1 : failed };
}

function readCounts(file: string): number[] {
  try {
    return readFileSync(file, 'utf8').trim().split(' ').map(Number);
  } catch {
    return [];
  }
}

function run(command: string, args: readonly string[], countsFile: string): Promise<number> {
  const env = { ...process.env, TEST_COUNTS: countsFile, E2E_ENGINE: values.engine, E2E_IMAGE: values.image };
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env });
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}
