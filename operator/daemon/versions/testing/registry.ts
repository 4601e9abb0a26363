import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Test only: a registry that has one image of one empty layer under every name. */
export class Registry {
  readonly #server: Server;
  readonly #blobs = new Map<string, { type: string; content: Buffer }>();
  /** Names that were looked up. */
  asked: string[] = [];

  constructor() {
    const layer = this.#add('application/vnd.oci.image.layer.v1.tar', Buffer.alloc(1024));
    const config = this.#add(
      'application/vnd.oci.image.config.v1+json',
      Buffer.from(
        JSON.stringify({
          architecture: process.arch === 'x64' ? 'amd64' : process.arch,
          os: 'linux',
          config: {},
          rootfs: { type: 'layers', diff_ids: [layer.digest] },
        }),
      ),
    );
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = this.#add(
      mediaType,
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] })),
    );
    this.#server = createServer(({ url = '', method }, answer) => {
      const isHead = method === 'HEAD';
      const digest = this.#digestOf(url, manifest.digest);
      const blob = this.#blobs.get(digest);
      if (isHead) this.asked.push(url);
      if (!blob) {
        answer.writeHead(404).end();
        return;
      }
      answer.writeHead(200, {
        'content-type': blob.type,
        'content-length': blob.content.length,
        'docker-content-digest': digest,
      });
      answer.end(isHead ? undefined : blob.content);
    });
  }

  /** What is asked for; every tag but `none` is the one image. */
  #digestOf(url: string, manifest: string): string {
    const [ref = ''] = /[^/]+$/.exec(url) ?? [];
    return url.includes('/manifests/') && !ref.startsWith('sha256:') && ref !== 'none' ? manifest : ref;
  }

  /** Host and port, the beginning of its images' names. */
  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #add(mediaType: string, content: Buffer): { mediaType: string; digest: string; size: number } {
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    this.#blobs.set(digest, { type: mediaType, content });
    return { mediaType, digest, size: content.length };
  }
}
