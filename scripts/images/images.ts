import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, link, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dropUnfinished, keepNewest } from '../kubernetes/cache.ts';
import { locked } from '../kubernetes/lock.ts';
import { cacheRoot, projectRoot } from '../kubernetes/paths.ts';
import { silent, step, type Report } from '../kubernetes/progress.ts';
import { run } from '../kubernetes/run.ts';
import { debianWithPostgresql } from './debian.ts';
import { currentProgram } from './program-cache.ts';
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
/** Archives of an image that are kept, for going back and forth between states of the source: 100 MB each and more. */
const keptArchives = 3;
/** What images are made of is kept twice: for the state before, too. */
const keptBases = 2;

/** Builds what is not built yet of the stack's image and of the PostgreSQL 15 image. */
export async function buildImages(report: Report = silent): Promise<Images> {
  await mkdir(cache, { recursive: true });
  return await locked('images', async () => {
    await dropUnfinished(cache, /^(context|runtime-new|debian-[0-9a-f]+-new)-/);
    const images = { postgresql: await postgresqlImage(report), stack: await stackImage(report) };
    for (const base of [/^runtime-[0-9a-f]+$/, /^debian-[0-9a-f]+$/]) await keepNewest(cache, base, keptBases);
    return images;
  });
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
  const program = await currentProgram(projectRoot, cache);
  return await ensureImage('polardb-stack', [runtime.digest, program.digest], report, async context => {
    // Links instead of copies: the tree is 110 MB.
    await run('cp', ['-al', join(runtime.directory, 'polardb-stack'), join(runtime.directory, 'etc'), context]);
    await mkdir(join(context, 'program'));
    const files = await program.files();
    await Promise.all(files.map(({ name, text }) => writeFile(join(context, 'program', name), text)));
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
  await keepNewest(cache, new RegExp(`^${name}-[0-9a-f]+\\.tar$`), keptArchives);
  return image;
}
