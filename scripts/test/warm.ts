import { buildImages } from '../images/images.ts';
import { checkMachine } from '../kubernetes/machine-check.ts';
import { ensurePrograms, programsAreBuilt } from '../kubernetes/programs.ts';
import { printSteps } from '../kubernetes/progress.ts';

/**
 * Builds what the clusters of the tests need, while static checks run: on a new machine that is minutes of downloads
 * and compilers. A failure is told at once; the stage that needs it fails then with the same words.
 */
export async function warmUp(): Promise<void> {
  try {
    await checkMachine(!(await programsAreBuilt()));
    await Promise.all([ensurePrograms(printSteps), buildImages(printSteps)]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
}
