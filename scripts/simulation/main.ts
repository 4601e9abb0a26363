import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { play, schedules, type Schedule } from '../../operator/ha/simulation/schedule.ts';
import { findAll } from './mutants.ts';

/**
 * The nightly profile of the protocol's simulation: many schedules on the production rules, then each rule taken out.
 * `--seed` and `--path`, as printed with a failure, play that one again and tell its story.
 */
const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    path: { type: 'string' },
    mutants: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

/** Schedules between two lines of progress, each with a seed of its own. */
const BATCH = 5000;
const count = Number(values.schedules);
const first = Number(values.seed ?? Date.now() % 1_000_000_000);

const isSound = values.path === undefined ? playAll() : replay(values.path);
const areFound = values.path !== undefined || !values.mutants || findAll(first);
process.exitCode = isSound && areFound ? 0 : 1;

function playAll(): boolean {
  for (let done = 0; done < count; done += BATCH) {
    const seed = first + done;
    const numRuns = Math.min(BATCH, count - done);
    const result = fc.check(
      fc.property(schedules, schedule => void play(schedule)),
      { numRuns, seed },
    );
    if (result.failed) {
      const { counterexamplePath } = result;
      console.log(`failed: ${String(result.errorInstance)}`);
      console.log(`again: npm run test:simulation -- --seed ${seed} --path ${counterexamplePath ?? ''}`);
      tell(result.counterexample![0]);
      return false;
    }
    console.log(`${done + numRuns} of ${count} schedules, seed ${seed}`);
  }
  return true;
}

function replay(path: string): boolean {
  const result = fc.check(
    fc.property(schedules, schedule => void play(schedule)),
    { seed: first, path, endOnFailure: true },
  );
  if (result.counterexample) tell(result.counterexample[0]);
  return !result.failed;
}

function tell(schedule: Schedule): void {
  console.log(JSON.stringify(schedule));
  try {
    play(schedule, undefined, line => console.log(line));
  } catch (error) {
    console.log(String(error));
  }
}
