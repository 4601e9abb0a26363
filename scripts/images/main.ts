import { Command } from 'commander';
import { printSteps } from '../kubernetes/progress.ts';
import { buildImages, pushImage } from './images.ts';

const program = new Command('images')
  .description('Builds the images of the stack and prints their names and archives')
  .option('--push <registry>', 'send them to a registry, host[:port][/path], and print their names there')
  .action(async ({ push }: { push?: string }) => {
    const { stack, postgresql } = await buildImages(printSteps);
    for (const image of [stack, postgresql]) {
      if (push === undefined) console.log(`${image.name} ${image.archive}`);
      else console.log(await pushImage(image, push, printSteps));
    }
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
