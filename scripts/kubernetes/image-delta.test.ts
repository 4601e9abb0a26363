import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readImage, withoutLayers } from './image-delta.ts';
import { run } from './run.ts';
import { tar } from './tar.ts';

const digestOf = (content: Buffer | string): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

describe('image without the layers that a node has', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-'));
  });
  after(() => rm(directory, { recursive: true }));

  const layers = ['base', 'program'].map(text => Buffer.from(text));
  async function archive(names: string[], digests = layers.map(digestOf)): Promise<string> {
    const config = JSON.stringify({ rootfs: { diff_ids: digests } });
    const manifest = JSON.stringify([{ Config: 'c.json', RepoTags: names, Layers: ['0.tar', '1.tar'] }]);
    const file = (name: string, content: string | Buffer) => ({ name, mode: 0o644, content: Buffer.from(content) });
    const content = tar([
      file('c.json', config),
      ...layers.map((layer, i) => file(`${i}.tar`, layer)),
      file('manifest.json', manifest),
    ]);
    const path = join(directory, 'image.tar');
    await writeFile(path, content);
    return path;
  }

  it('names all layers, and holds the one that is missing', async () => {
    const image = await readImage(await archive(['localhost/x:1']));
    expect(image?.name).to.equal('localhost/x:1');
    const delta = image && (await withoutLayers(image, new Set([digestOf('base')])));
    const path = join(directory, 'delta.tar');
    await writeFile(path, delta ?? '');
    const files = (await run('tar', ['-tf', path])).split('\n');
    expect(files).to.include(`blobs/${digestOf('program').replace(':', '/')}`);
    expect(files).not.to.include(`blobs/${digestOf('base').replace(':', '/')}`);
    const index = JSON.parse(await run('tar', ['-xOf', path, 'index.json'])) as {
      manifests: [{ digest: string; annotations: Record<string, string> }];
    };
    const [{ digest, annotations }] = index.manifests;
    expect(annotations['io.containerd.image.name']).to.equal('localhost/x:1');
    const manifest = await run('tar', ['-xOf', path, `blobs/${digest.replace(':', '/')}`]);
    expect(digestOf(manifest)).to.equal(digest);
    expect((JSON.parse(manifest) as { layers: { digest: string }[] }).layers.map(layer => layer.digest)).to.deep.equal(
      layers.map(digestOf),
    );
  });

  it('does not pay when the node has none of them', async () => {
    const image = await readImage(await archive(['localhost/x:1']));
    expect(image && (await withoutLayers(image, new Set()))).to.equal(undefined);
  });

  it('is not made of compressed layers, whose digests are others in a node', async () => {
    const image = await readImage(await archive(['localhost/x:1'], [digestOf('base'), digestOf('unpacked')]));
    expect(image && (await withoutLayers(image, new Set([digestOf('base')])))).to.equal(undefined);
  });

  for (const names of [[], ['localhost/x:1', 'localhost/x:2']]) {
    it(`is not made of an archive with ${names.length} names`, async () =>
      expect(await readImage(await archive(names))).to.equal(undefined));
  }
});
