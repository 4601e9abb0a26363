import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { installTools } from '../kubernetes/machine-check.ts';
import { cacheRoot } from '../kubernetes/paths.ts';
import type { Report } from '../kubernetes/progress.ts';
import { run } from '../kubernetes/run.ts';

/** What builds images from Dockerfiles on this machine. */
export interface ImageTool {
  /** Builds the Dockerfile of a directory as image `name` and writes it as docker-archive. */
  build(directory: string, name: string, archive: string): Promise<void>;
  /** Sends an image, given as docker-archive, to a registry under a new name. */
  push(archive: string, name: string, target: string): Promise<void>;
}

/** buildah where it is installed, else docker or podman where they answer, else buildah freshly installed. */
export async function imageTool(report: Report): Promise<ImageTool> {
  if (await answers('buildah', '--version')) return buildah;
  for (const program of ['docker', 'podman']) if (await answers(program, 'info')) return dockerLike(program);
  await installTools([{ file: '/usr/bin/buildah', package: 'buildah' }], report);
  return buildah;
}

/** The name under which the tool keeps an image's layers for the next build; of older ones it keeps nothing. */
const latest = (name: string): string => name.replace(/:[^:]*$/, ':latest');

const answers = (program: string, argument: string): Promise<boolean> =>
  run(program, [argument]).then(
    () => true,
    () => false,
  );

/**
 * Keeps its images among what this project caches, apart from those of the machine's user. It runs
 * in a mount namespace of its own, because it leaves its storage mounted.
 */
const buildah: ImageTool = {
  async build(directory, name, archive) {
    const options = ['--isolation', 'chroot', '--layers', '--timestamp', '0', '--format', 'docker'];
    await runBuildah(['bud', ...options, '--tag', name, directory]);
    await runBuildah(['push', name, `docker-archive:${archive}`]);
    await runBuildah(['tag', name, latest(name)]);
    await runBuildah(['rmi', name]);
    await runBuildah(['rmi', '--prune', '--force']);
  },
  async push(archive, name, target) {
    await dropFormer(name);
    await runBuildah(['pull', `docker-archive:${archive}:${name}`]);
    await runBuildah(['push', name, `docker://${target}`]);
  },
};

/** Of the versions of an image that were sent, the last one is kept: to send it again takes no time. */
async function dropFormer(name: string): Promise<void> {
  const [repository = ''] = name.split(':');
  const known = (await runBuildah(['images', '--format', '{{.Name}}:{{.Tag}}'])).split('\n');
  const former = known.filter(one => one.startsWith(`${repository}:`) && one !== name && one !== latest(name));
  if (former.length > 0) await runBuildah(['rmi', ...former]);
}

async function runBuildah(args: readonly string[]): Promise<string> {
  const root = join(cacheRoot, 'images', 'storage');
  await mkdir(root, { recursive: true });
  const storage = ['--root', root, '--runroot', join(root, 'run')];
  return await run('unshare', ['--mount', 'buildah', ...storage, ...args]);
}

function dockerLike(program: string): ImageTool {
  return {
    async build(directory, name, archive) {
      await run(program, ['build', '--tag', name, directory]);
      await run(program, ['save', '--output', archive, name]);
      await run(program, ['tag', name, latest(name)]);
      await run(program, ['rmi', name]);
    },
    async push(archive, name, target) {
      await run(program, ['load', '--input', archive]);
      await run(program, ['tag', name, target]);
      await run(program, ['push', target]);
    },
  };
}
