import { expect } from 'chai';
import { CriImages } from './cri.ts';
import { Containerd } from './testing/containerd.ts';
import { Registry } from './testing/registry.ts';

describe('images of a real containerd', function () {
  this.timeout(60_000);
  let containerd: Containerd;
  let registry: Registry;
  let host: string;
  const { signal } = new AbortController();

  const using = async <T>(ask: (images: CriImages) => Promise<T>): Promise<T> => {
    const images = new CriImages(containerd.socket);
    try {
      return await ask(images);
    } finally {
      images.close();
    }
  };
  const failure = (ask: (images: CriImages) => Promise<unknown>): Promise<string> =>
    using(ask).then(
      () => 'no error',
      (error: unknown) => String(error),
    );

  before(async () => {
    registry = new Registry();
    host = await registry.start();
    containerd = await Containerd.create();
    await containerd.start();
  });
  after(async () => {
    await registry.stop();
    await containerd.remove();
  });

  it('an image is not there, is pulled, is there, is removed', async () => {
    const image = `${host}/polardb/engine:15`;
    await using(async images => {
      expect(await images.find(image, signal)).to.equal(undefined);
      await images.pull(image, signal);
      const found = await images.find(image, signal);
      expect(found?.id).to.match(/^sha256:[0-9a-f]{64}$/);
      expect(found?.bytes).to.be.greaterThan(1024);
    });
    expect(registry.asked).to.deep.equal(['/v2/polardb/engine/manifests/15']);
    await containerd.ctr('images', 'rm', '--sync', image);
    await using(async images => {
      const end = performance.now() + 5_000;
      // The runtime hears of it as an event.
      while ((await images.find(image, signal)) !== undefined) {
        if (performance.now() > end) throw new Error('the image is still there');
      }
    });
  });

  it('short names and digests are resolved as the runtime does for pods', async () => {
    const image = `${host}/short:1`;
    await using(async images => {
      await images.pull(image, signal);
      const id = (await images.find(image, signal))?.id;
      await containerd.ctr('images', 'tag', image, 'docker.io/polardb/engine:15');
      const end = performance.now() + 5_000;
      while ((await images.find('polardb/engine:15', signal))?.id !== id) {
        if (performance.now() > end) throw new Error('the short name is not known');
      }
      expect(await images.find('polardb/engine:16', signal)).to.equal(undefined);
    });
  });

  it('an image that the registry does not have: the runtime says why', async () => {
    const told = await failure(images => images.pull(`${host}/polardb/engine:none`, signal));
    expect(told).to.contain('polardb/engine:none').and.contain('not found');
  });

  it('a question that is called off ends at once', async () => {
    const reason = new Error('called off');
    expect(await failure(images => images.find('a', AbortSignal.abort(reason)))).to.contain('called off');
    const abort = new AbortController();
    const pulling = failure(images => images.pull(`${host}/later:1`, abort.signal));
    abort.abort(reason);
    expect(await pulling).to.contain('called off');
  });

  it('a runtime that hangs holds nobody up, and is asked again when it goes on', async () => {
    containerd.signal('SIGSTOP');
    const reason = new Error('time is over');
    const abort = new AbortController();
    const asking = failure(images => images.find('a', abort.signal));
    setTimeout(() => abort.abort(reason), 300);
    expect(await asking).to.contain('time is over');
    containerd.signal('SIGCONT');
    expect(await using(images => images.find('a', signal))).to.equal(undefined);
  });

  it('a runtime that is away is named, and found again', async () => {
    await containerd.stop();
    expect(await failure(images => images.find('a', signal))).to.contain(
      `no container runtime answers at ${containerd.socket}`,
    );
    await containerd.start();
    expect(await using(images => images.find('a', signal))).to.equal(undefined);
  });
});
