import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { IMAGE_METHODS } from './cri-messages.ts';
import { CriImages } from './cri.ts';

describe('CRI', () => {
  let directory: string;
  let server: Server;
  const { signal } = new AbortController();
  const start = (): Promise<number> =>
    promisify(server.bindAsync.bind(server))(`unix:${join(directory, 'socket')}`, ServerCredentials.createInsecure());
  const find = async (): Promise<unknown> => {
    const images = new CriImages(join(directory, 'socket'));
    try {
      return await images.find('x/engine:15', signal).catch((error: unknown) => String(error));
    } finally {
      images.close();
    }
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cri-'));
    server = new Server();
  });
  afterEach(async () => {
    server.forceShutdown();
    await rm(directory, { recursive: true });
  });

  it('the bytes are those of the published protocol', () => {
    const { ImageStatus, PullImage } = IMAGE_METHODS;
    expect([ImageStatus.path, PullImage.path]).to.deep.equal([
      '/runtime.v1.ImageService/ImageStatus',
      '/runtime.v1.ImageService/PullImage',
    ]);
    // Field 1 of ImageSpec in field 1 of the request.
    expect(ImageStatus.requestSerialize({ image: { image: 'a:1' } }).toString('hex')).to.equal('0a050a03613a31');
    // Field 1 is an image with id, tag, size and something newer; field 2 is not ours.
    const answer = Buffer.from('0a100a026964120161' + '20808080800' + '8' + '980601' + '12020a00', 'hex');
    expect(ImageStatus.responseDeserialize(answer).image).to.deep.include({ id: 'id', size: 2 ** 31 });
  });

  it('a runtime without version 1 of it is named', async () => {
    await start();
    expect(await find()).to.contain('does not speak CRI v1');
  });

  it('no runtime', async () => expect(await find()).to.contain(`no container runtime answers at ${directory}`));
});
