import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { tar } from './tar.ts';

interface Blob {
  digest: string;
  content: Buffer;
}

/** The parts of a docker-archive with one image. */
export interface ArchivedImage {
  name: string;
  config: Buffer;
  /** Digest of each uncompressed layer, lowest first. */
  layers: string[];
  /** Reads the file of the layer at this position. */
  readLayer: (position: number) => Promise<Buffer>;
}

const mediaType = (kind: string): string => `application/vnd.oci.image.${kind}`;
/** More than this is as quickly loaded whole. */
const mostBytes = 64 * 1024 * 1024;

/** Reads a docker-archive; undefined when it holds anything but one image with one name. */
export async function readImage(archive: string): Promise<ArchivedImage | undefined> {
  const images = JSON.parse((await member(archive, 'manifest.json')).toString()) as {
    Config: string;
    RepoTags: string[] | null;
    Layers: string[];
  }[];
  const [image] = images;
  const [name] = image?.RepoTags ?? [];
  if (images.length !== 1 || !image || name === undefined || image.RepoTags?.length !== 1) return undefined;
  const config = await member(archive, image.Config);
  const { rootfs } = JSON.parse(config.toString()) as { rootfs: { diff_ids: string[] } };
  const readLayer = (position: number): Promise<Buffer> => member(archive, image.Layers[position] ?? '');
  return { name, config, layers: rootfs.diff_ids, readLayer };
}

/**
 * An OCI archive of the image without the layers that a node has already: what containerd imports
 * then is a few megabytes instead of a hundred. Undefined when little can be saved, or when the
 * archive's layers are compressed, so that their digests in the node are others.
 */
export async function withoutLayers(image: ArchivedImage, present: ReadonlySet<string>): Promise<Buffer | undefined> {
  const missing = image.layers.flatMap((digest, position) => (present.has(digest) ? [] : [position]));
  if (missing.length === image.layers.length) return undefined;
  const blobs = await Promise.all(missing.map(async position => blob(await image.readLayer(position))));
  if (blobs.some(({ digest }, i) => digest !== image.layers[missing[i] ?? -1])) return undefined;
  if (blobs.reduce((sum, { content }) => sum + content.length, 0) > mostBytes) return undefined;
  return ociArchive(image, blobs);
}

function ociArchive({ name, config, layers }: ArchivedImage, blobs: readonly Blob[]): Buffer {
  const sizes = new Map(blobs.map(({ digest, content }) => [digest, content.length]));
  const configBlob = blob(config);
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaType('manifest.v1+json'),
    config: { mediaType: mediaType('config.v1+json'), digest: configBlob.digest, size: config.length },
    // A layer that is not sent is never read: its unpacked form is found by its digest.
    layers: layers.map(digest => ({ mediaType: mediaType('layer.v1.tar'), digest, size: sizes.get(digest) ?? 0 })),
  });
  const manifestBlob = blob(manifest);
  const index = json({
    schemaVersion: 2,
    manifests: [
      {
        mediaType: mediaType('manifest.v1+json'),
        digest: manifestBlob.digest,
        size: manifest.length,
        annotations: { 'io.containerd.image.name': name },
      },
    ],
  });
  const file = (path: string, content: Buffer) => ({ name: path, mode: 0o644, content });
  return tar([
    file('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
    ...[...blobs, configBlob, manifestBlob].map(({ digest, content }) =>
      file(`blobs/${digest.replace(':', '/')}`, content),
    ),
    file('index.json', index),
  ]);
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));

const blob = (content: Buffer): Blob => ({
  digest: `sha256:${createHash('sha256').update(content).digest('hex')}`,
  content,
});

async function member(archive: string, name: string): Promise<Buffer> {
  const options = { encoding: 'buffer', maxBuffer: 1024 * 1024 * 1024 } as const;
  return (await promisify(execFile)('tar', ['-xOf', archive, name], options)).stdout;
}
