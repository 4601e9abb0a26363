import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';

/**
 * Leaves the counts where the test command adds them up (file named by TEST_COUNTS). Shows each test of a stage whose
 * tests take seconds each, and a dot for each of the many quick ones: a person reads the failures.
 */
export default class CountingReporter {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    const { style } = (options.reporterOptions ?? {}) as { style?: string };
    const Shown = style === 'dots' ? Mocha.reporters.Dot : Mocha.reporters.Spec;
    new Shown(runner, options);
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const file = process.env.TEST_COUNTS;
      const { passes = 0, failures = 0 } = runner.stats ?? {};
      if (file) appendFileSync(file, `${passes} ${failures}\n`);
    });
  }
}
