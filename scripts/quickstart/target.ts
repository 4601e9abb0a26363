import { join } from 'node:path';
import { buildImages, pushImage, type Images } from '../images/images.ts';
import { down, find, up } from '../kubernetes/cluster.ts';
import { checkMachine } from '../kubernetes/machine-check.ts';
import { projectRoot } from '../kubernetes/paths.ts';
import { programsAreBuilt } from '../kubernetes/programs.ts';
import { run } from '../kubernetes/run.ts';
import { Kubectl, shellWord } from './kubectl.ts';
import type { Options } from './options.ts';
import type { Progress } from './progress.ts';

/** Names of the images, as the nodes know them. */
export interface ImageNames {
  stack: string;
  postgresql: string;
}

/** A Kubernetes to install on, which has the images. */
export interface Target {
  kubectl: Kubectl;
  images: ImageNames;
  /** Directory for the YAML that is applied. */
  yaml: string;
  /** Whether this machine reaches the addresses of Services. */
  reachesServices: boolean;
  /** How to remove all of it. */
  down: string;
}

export async function prepareTarget(options: Options, progress: Progress): Promise<Target> {
  return options.context === undefined
    ? await prepareLocal(options, progress)
    : await prepareExisting(options, options.context, progress);
}

/** Directory of the YAML of one cluster. */
export const yamlOf = ({ name, context }: Options): string =>
  join(projectRoot, 'dist', 'quickstart', context === undefined ? name : `context-${encodeURIComponent(context)}`);

/** kubectl for what is there now; undefined when there is no cluster. */
export async function existingKubectl({ name, context }: Options): Promise<Kubectl | undefined> {
  if (context !== undefined) return contextKubectl(context);
  const cluster = await find(name);
  return cluster && (await localKubectl(cluster));
}

/** Removes the cluster on this machine, whatever state it is in. */
export const removeLocal = ({ name }: Options): Promise<void> => down(name);

async function prepareLocal(options: Options, progress: Progress): Promise<Target> {
  const { name } = options;
  await progress.step('machine check', async () => checkMachine(!(await programsAreBuilt())));
  const [cluster, images] = await Promise.all([
    progress.step('Kubernetes with 3 nodes', () => up({ name, nodes: 3, report: progress.report })),
    buildStep(progress),
  ]);
  await progress.step('images on the nodes', async tell => {
    for (const [i, image] of [images.stack, images.postgresql].entries()) {
      tell(`${i + 1} of 2, ${image.name}`);
      await cluster.load(image.archive);
    }
  });
  await cluster.recycleVolumes();
  return {
    kubectl: await localKubectl(cluster),
    images: { stack: images.stack.name, postgresql: images.postgresql.name },
    yaml: yamlOf(options),
    reachesServices: true,
    down: `npm run quickstart --${name === 'quickstart' ? '' : ` --name ${name}`} --down`,
  };
}

const buildStep = (progress: Progress): Promise<Images> =>
  progress.step('images of the stack and of PostgreSQL 15', () => buildImages(progress.report));

async function prepareExisting(options: Options, context: string, progress: Progress): Promise<Target> {
  const { registry } = options;
  const kubectl = contextKubectl(context);
  await progress.step(`the cluster of context ${context}`, async () => {
    await kubectl.run('version', '--output', 'json', '--request-timeout=10s');
  });
  const send = registry === undefined ? await intoKind(context) : intoRegistry(registry);
  const images = await buildStep(progress);
  const names = await progress.step('images to the cluster', () => send(images, progress));
  const down = `npm run quickstart -- --context ${shellWord(context)} --down`;
  return { kubectl, images: names, yaml: yamlOf(options), reachesServices: false, down };
}

type Send = (images: Images, progress: Progress) => Promise<ImageNames>;

function intoRegistry(registry: string): Send {
  return async ({ stack, postgresql }, { report }) => ({
    stack: await pushImage(stack, registry, report),
    postgresql: await pushImage(postgresql, registry, report),
  });
}

/** A cluster made by kind takes images from files. */
async function intoKind(context: string): Promise<Send> {
  const name = /^kind-(.+)$/.exec(context)?.[1];
  if (name === undefined || !(await isCommand('kind', 'version'))) {
    throw new Error(
      `the nodes of context ${context} must get the images from somewhere: give --registry host[:port][/path]` +
        ' (without it only clusters made by kind can be filled, with the command kind in reach)',
    );
  }
  return async ({ stack, postgresql }) => {
    for (const { archive } of [stack, postgresql]) {
      await run('kind', ['load', 'image-archive', archive, '--name', name]);
    }
    return { stack: stack.name, postgresql: postgresql.name };
  };
}

export const isCommand = (program: string, ...args: string[]): Promise<boolean> =>
  run(program, args).then(
    () => true,
    () => false,
  );

const contextKubectl = (context: string): Kubectl => new Kubectl('kubectl', ['--context', context]);

/** The person's own kubectl where there is one: its name is shorter than the path of ours. */
async function localKubectl({ kubectl, kubeconfig }: { kubectl: string; kubeconfig: string }): Promise<Kubectl> {
  const own = await isCommand('kubectl', 'version', '--client', '--output', 'json');
  return new Kubectl(own ? 'kubectl' : kubectl, ['--kubeconfig', kubeconfig]);
}
