import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { entering, inside, type Machine } from './machines.ts';
import { readImage, withoutLayers, type ArchivedImage } from './image-delta.ts';
import { machineDirectory } from './paths.ts';
import { run, until } from './run.ts';
import { tar } from './tar.ts';

/** An image of the one program `pause`, as docker-archive. */
export async function pauseImage(programs: string): Promise<{ name: string; archive: Buffer }> {
  const layer = tar([{ name: 'pause', mode: 0o755, content: await readFile(join(programs, 'pause')) }]);
  const digest = sha256(layer);
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const config = JSON.stringify({
    architecture,
    os: 'linux',
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  });
  const name = `localhost/pause:${digest.slice(0, 16)}`;
  const manifest = JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]);
  const file = (path: string, content: Buffer | string) => ({ name: path, mode: 0o644, content: Buffer.from(content) });
  return {
    name,
    archive: tar([file('layer.tar', layer), file('config.json', config), file('manifest.json', manifest)]),
  };
}

/** Loads a docker-archive into the containerd of each node, at the same time; what is there already is skipped. */
export async function loadArchive(cluster: string, nodes: readonly Machine[], archive: string): Promise<void> {
  const { size, mtimeMs, ino } = await stat(archive);
  const mark = sha256(`${archive} ${size} ${mtimeMs} ${ino}`);
  const image = await readImage(archive);
  await Promise.all(
    nodes.map(async node => {
      const loaded = join(machineDirectory(cluster, node.name), 'loaded');
      if (existsSync(join(loaded, mark))) return;
      await until(`containerd of ${node.name}`, 60, () => inside(node, 'all', ['ctr', 'version']));
      await importInto(node, archive, image);
      await mkdir(loaded, { recursive: true });
      await writeFile(join(loaded, mark), archive);
    }),
  );
}

async function importInto(node: Machine, archive: string, image: ArchivedImage | undefined): Promise<void> {
  const present = await inside(node, 'all', ['ctr', '--namespace', 'k8s.io', 'content', 'ls', '--quiet']);
  const delta = image && (await withoutLayers(image, new Set(present.split('\n'))));
  // By standard input: the node need not see the file.
  const command = [...entering(node, 'all'), 'ctr', '--namespace', 'k8s.io', 'images', 'import', '-'];
  if (delta) {
    await run('nsenter', command, { input: delta });
    return;
  }
  const file = await open(archive);
  try {
    await run('nsenter', command, { inputFile: file.fd });
  } finally {
    await file.close();
  }
}

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');
