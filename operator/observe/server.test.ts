import { connect } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { startHealthServer } from './server.ts';
import type { HealthOptions, HealthServer } from './server.ts';

describe('health server', () => {
  let server: HealthServer | undefined;
  const start = async (options: Partial<HealthOptions> = {}): Promise<HealthServer> =>
    (server = await startHealthServer({ port: 0, host: '127.0.0.1', ...options }));
  const get = async (path: string, init?: RequestInit): Promise<{ status: number; text: string; headers: Headers }> => {
    const response = await fetch(`http://127.0.0.1:${server!.port}${path}`, init);
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  /** Sends bytes and returns all that comes back until the server closes. */
  const raw = async (text: string): Promise<string> => {
    const socket = connect(server!.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (piece: Buffer) => (answer += piece.toString()));
    socket.on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    return answer;
  };
  afterEach(() => server?.close());

  it('is well when no check objects', async () => {
    await start({ live: { loop: () => undefined } });
    expect(await get('/healthz')).to.include({ status: 200, text: '[+] loop\nok\n' });
  });

  it('shows notes without judging by them', async () => {
    await start({ notes: () => ['[-] volumes: EACCES'] });
    expect(await get('/healthz')).to.include({ status: 200, text: '[-] volumes: EACCES\nok\n' });
  });

  it('names each check, with the reason of those that object', async () => {
    await start({
      ready: {
        leader: () => undefined,
        caches: () => Promise.resolve('pods: no list yet'),
        api: () => {
          throw new Error('ECONNREFUSED');
        },
      },
    });
    expect(await get('/readyz?verbose')).to.include({
      status: 503,
      text: '[+] running\n[+] leader\n[-] caches: pods: no list yet\n[-] api: ECONNREFUSED\nfailed\n',
    });
    expect((await get('/healthz')).status).to.equal(200);
  });

  it('takes a check that does not answer for failed', async () => {
    await start({ live: { stuck: () => new Promise(() => undefined) }, checkLimitMs: 5 });
    expect(await get('/healthz')).to.include({ status: 503, text: '[-] stuck: no answer within 5 ms\nfailed\n' });
  });

  it('serves metrics in their own type, collected once for all who ask together', async () => {
    let collected = 0;
    const metrics = {
      contentType: 'text/plain; version=0.0.4',
      text: () =>
        new Promise<string>(resolve => {
          collected++;
          setImmediate(() => setImmediate(() => resolve(`scrape ${collected}\n`)));
        }),
    };
    await start({ metrics });
    const answers = await Promise.all(Array.from({ length: 8 }, () => get('/metrics')));
    expect(answers[0]).to.include({ status: 200 });
    expect(answers[0]?.headers.get('content-type')).to.equal(metrics.contentType);
    expect(collected).to.be.below(8);
    expect((await get('/metrics')).text).to.equal(`scrape ${collected}\n`);
  });

  it('tells nothing of why metrics failed, and collects again the next time', async () => {
    let isBroken = true;
    const text = (): Promise<string> => (isBroken ? Promise.reject(new Error('s3cret')) : Promise.resolve('fine'));
    await start({ metrics: { contentType: 'text/plain', text } });
    expect(await get('/metrics')).to.include({ status: 500, text: 'metrics cannot be collected\n' });
    isBroken = false;
    expect(await get('/metrics')).to.include({ status: 200, text: 'fine' });
  });

  for (const [what, path, init, status] of [
    ['an unknown path', '/', {}, 404],
    ['metrics where there are none', '/metrics', {}, 404],
    ['another method', '/healthz', { method: 'DELETE' }, 405],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await start();
      expect((await get(path, init)).status).to.equal(status);
    });
  }

  it('answers HEAD without a body', async () => {
    await start();
    const { status, text, headers } = await get('/healthz', { method: 'HEAD' });
    expect([status, text, headers.get('content-length')]).to.deep.equal([200, '', '3']);
  });

  it('does not read a body that nobody asked for', async () => {
    await start();
    const answer = await raw('POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nx');
    expect(answer).to.match(/^HTTP\/1\.1 405 [\s\S]*connection: close/i);
  });

  for (const [what, text, answer] of [
    ['headers without end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['what is no HTTP', '\u0016\u0003\u0001hello\r\n\r\n', /^HTTP\/1\.1 400 /],
  ] as const) {
    it(`survives ${what}`, async () => {
      await start();
      expect(await raw(text)).to.match(answer);
      expect((await get('/healthz')).status).to.equal(200);
    });
  }

  it('says so when the port is taken', async () => {
    const { port } = await start();
    const error = await startHealthServer({ port, host: '127.0.0.1' }).catch((caught: unknown) => caught);
    expect(error).to.have.property('code', 'EADDRINUSE');
  });

  it('finishes running answers when it closes, then takes no more', async () => {
    let answer: (text: string) => void = () => undefined;
    let asked = (): void => undefined;
    const wasAsked = new Promise<void>(resolve => (asked = resolve));
    const text = (): Promise<string> =>
      new Promise(resolve => {
        answer = resolve;
        asked();
      });
    const { port, close } = await start({ metrics: { contentType: 'text/plain', text } });
    const scrape = get('/metrics');
    await wasAsked;
    const closed = close();
    answer('last words');
    expect(await scrape).to.include({ status: 200, text: 'last words' });
    await closed;
    const error = await fetch(`http://127.0.0.1:${port}/healthz`).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(TypeError);
  });

  it('does not wait for ever for a caller that never reads', async () => {
    const { close } = await start({
      metrics: { contentType: 'a/b', text: () => new Promise(() => undefined) },
      drainMs: 5,
    });
    const socket = connect(server!.port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n');
    await close();
    socket.destroy();
  });

  it('is not ready while it closes, for callers that are connected already', async () => {
    let release = (): void => undefined;
    let asked = (): void => undefined;
    const wasAsked = new Promise<void>(resolve => (asked = resolve));
    const slow = (): Promise<undefined> =>
      new Promise(resolve => {
        release = () => resolve(undefined);
        asked();
      });
    const { close } = await start({ live: { slow } });
    const running = raw('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /readyz HTTP/1.1\r\nHost: a\r\n\r\n');
    await wasAsked;
    const closed = close();
    release();
    expect(await running).to.match(/connection: close/i);
    await closed;
  });
});
