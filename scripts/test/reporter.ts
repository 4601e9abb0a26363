import { appendFileSync } from 'node:fs';
import Mocha from 'mocha';

/** Prints like mocha's `spec` and leaves the counts where the test command adds them up (file named by TEST_COUNTS). */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const file = process.env.TEST_COUNTS;
      const { passes = 0, failures = 0 } = runner.stats ?? {};
      if (file) appendFileSync(file, `${passes} ${failures}\n`);
    });
  }
}
