import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { cacheRoot } from '../kubernetes/paths.ts';
import { gather, renderFindings } from './diagnosis.ts';
import { install, PARTS, PLACE } from './install.ts';
import { parseOptions, USAGE, type Options } from './options.ts';
import { Progress } from './progress.ts';
import { remove } from './remove.ts';
import { existingKubectl, prepareTarget } from './target.ts';
import { NotReady } from './wait.ts';

async function main(): Promise<void> {
  enableCompileCache(join(cacheRoot, 'compiled'));
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  const progress = new Progress(process.stderr);
  try {
    const told = options.down
      ? await remove(options, progress)
      : await install(await prepareTarget(options, progress), progress);
    progress.close();
    process.stdout.write(`\n${told}`);
  } catch (error) {
    progress.close();
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof NotReady) await tellWhy(options);
    process.exitCode = 1;
  }
}

async function tellWhy(options: Options): Promise<void> {
  const kubectl = await existingKubectl(options);
  if (!kubectl) return;
  process.stderr.write(`\n${renderFindings(await gather(kubectl, PLACE, PARTS))}
What the reasons mean and what to do: docs/troubleshooting.md
All of a log: ${kubectl.words} --namespace ${PLACE.systemNamespace} logs deployment/${PARTS[0].deployment} (or ${PARTS[1].deployment})
Run the same command again once the cause is gone: it goes on from here.
`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 1;
}
