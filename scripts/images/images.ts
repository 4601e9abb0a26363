import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, link, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { locked } from '../kubernetes/lock.ts';
import { cacheRoot, projectRoot } from '../kubernetes/paths.ts';
import { silent, step, type Report } from '../kubernetes/progress.ts';
import { run } from '../kubernetes/run.ts';
import { debianWithPostgresql } from './debian.ts';
import { bundleProgram } from './program.ts';
import { runtimeTree } from './runtime.ts';
import { imageTool } from './tool.ts';

/** An image as file. Its tag is the digest of its content, so a name never changes its meaning. */
export interface Image {
  /** Full name with tag, as pods write it. */
  name: string;
  /** Path of its docker-archive. */
  archive: string;
}

export interface Images {
  stack: Image;
  postgresql: Image;
}

const cache = join(cacheRoot, 'images');
/** Older archives of an image that are kept, for going back and forth between two states of the source. */
const keptArchives = 3;

/** Builds what is not built yet of the stack's image and of the PostgreSQL 15 image. */
export async function buildImages(report: Report = silent): Promise<Images> {
  await mkdir(cache, { recursive: true });
  return await locked('images', async () => ({
    postgresql: await postgresqlImage(report),
    stack: await stackImage(report),
  }));
}

/** Sends an image to a registry (`host[:port][/path]`) and returns the name that it has there. */
export async function pushImage(image: Image, registry: string, report: Report = silent): Promise<string> {
  const target = image.name.replace(/^localhost/, registry);
  const tool = await imageTool(report);
  await step(report, `push ${target}`, () => tool.push(image.archive, image.name, target));
  return target;
}

async function postgresqlImage(report: Report): Promise<Image> {
  const { archive: base, digest, version } = await debianWithPostgresql(report);
  const description = { engine: 'postgresql', version, paths: { bin: '/usr/lib/postgresql/15/bin' } };
  const text = JSON.stringify(description);
  return await ensureImage('postgresql-15', [digest, text], report, async context => {
    await link(base, join(context, 'base.tar'));
    await writeFile(join(context, 'image.json'), text);
    await mkdir(join(context, 'empty'));
  });
}

async function stackImage(report: Report): Promise<Image> {
  const runtime = await runtimeTree(report);
  const program = await bundleProgram();
  const content = [runtime.digest, ...program.flatMap(({ name, text }) => [name, text])];
  return await ensureImage('polardb-stack', content, report, async context => {
    // Links instead of copies: the tree is 110 MB.
    await run('cp', ['-al', join(runtime.directory, 'polardb-stack'), join(runtime.directory, 'etc'), context]);
    await mkdir(join(context, 'program'));
    await Promise.all(program.map(({ name, text }) => writeFile(join(context, 'program', name), text)));
  });
}

async function ensureImage(
  name: string,
  content: readonly string[],
  report: Report,
  fill: (context: string) => Promise<void>,
): Promise<Image> {
  const recipe = join(projectRoot, 'scripts/images', name, 'Dockerfile');
  const digest = createHash('sha256')
    .update(JSON.stringify([await readFile(recipe, 'utf8'), ...content]))
    .digest('hex');
  const image = {
    name: `localhost/${name}:${digest.slice(0, 16)}`,
    archive: join(cache, `${name}-${digest.slice(0, 16)}.tar`),
  };
  if (existsSync(image.archive)) return image;
  const tool = await imageTool(report);
  await step(report, `image ${image.name}`, async () => {
    const context = await mkdtemp(join(cache, 'context-'));
    try {
      await cp(recipe, join(context, 'Dockerfile'));
      await fill(context);
      await tool.build(context, image.name, join(context, 'image.tar'));
      await rename(join(context, 'image.tar'), image.archive);
    } finally {
      await rm(context, { recursive: true, force: true });
    }
  });
  await dropOldArchives(name);
  return image;
}

/** Archives are 100 MB and more; the newest few of an image are enough. */
async function dropOldArchives(name: string): Promise<void> {
  const files = (await readdir(cache)).filter(file => file.startsWith(`${name}-`) && file.endsWith('.tar'));
  const dated = await Promise.all(files.map(async file => ({ file, time: (await stat(join(cache, file))).mtimeMs })));
  const old = dated.sort((a, b) => b.time - a.time).slice(keptArchives);
  await Promise.all(old.map(({ file }) => rm(join(cache, file))));
}
