import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kubectl } from './kubectl.ts';
import type { Cluster } from './objects.ts';
import type { Options } from './options.ts';
import type { Progress } from './progress.ts';
import { PLACE, writeYaml } from './install.ts';
import { existingKubectl, removeLocal, yamlOf } from './target.ts';

/** How long the sample cluster may take to stop its engines. */
const DELETE_TIMEOUT = '180s';

/** Removes every trace; also of a run that was killed half way. */
export async function remove(options: Options, progress: Progress): Promise<string> {
  const told = options.context === undefined ? await removeOwn(options, progress) : await removeFrom(options, progress);
  await removeYaml(yamlOf(options));
  return told;
}

async function removeOwn(options: Options, progress: Progress): Promise<string> {
  await progress.step('remove the local Kubernetes and all in it', () => removeLocal(options));
  return 'The quickstart is gone. What it built and downloaded stays in the cache for the next time.\n';
}

/** Takes the sample cluster from a cluster that is not ours, and the stack when nobody else uses it. */
async function removeFrom(options: Options, progress: Progress): Promise<string> {
  const kubectl = (await existingKubectl(options))!;
  const { cluster, namespace } = PLACE;
  await progress.step('remove the sample cluster', () => removeSample(kubectl));
  const others = await kubectl.list<Cluster>('mpdclusters', '--all-namespaces');
  if (others.length > 0) {
    const names = others.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ');
    return `${namespace}/${cluster} is gone. The stack stays: other clusters need it (${names}).\n`;
  }
  await progress.step('remove the stack', async () => {
    const yaml = yamlOf(options);
    // Names of images do not matter here, names of objects do.
    if (!existsSync(yaml)) await writeYaml(yaml, { stack: 'removed', postgresql: 'removed' });
    await kubectl.run('delete', '--filename', yaml, '--ignore-not-found', `--timeout=${DELETE_TIMEOUT}`);
  });
  return `The quickstart is gone from context ${options.context}.\n`;
}

async function removeYaml(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  // Only when nothing else is in them.
  const parents = [join(directory, '..'), join(directory, '..', '..')];
  for (const parent of parents) await rmdir(parent).catch(() => undefined);
}

async function removeSample(kubectl: Kubectl): Promise<void> {
  const there = await kubectl.list<Cluster>('mpdclusters', '--namespace', PLACE.namespace);
  if (!there.some(({ metadata }) => metadata.name === PLACE.cluster)) return;
  const at = ['--namespace', PLACE.namespace, `--timeout=${DELETE_TIMEOUT}`];
  await kubectl.run('delete', 'mpdcluster', PLACE.cluster, ...at, '--ignore-not-found');
}
