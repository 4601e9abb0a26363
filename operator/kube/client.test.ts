import { expect } from 'chai';
import type { Call } from './call.ts';
import { KubeClient } from './client.ts';
import { isReason, KubeError } from './errors.ts';
import { RESOURCES } from './resources.ts';
import { makeServerCertificate } from './testing/certificates.ts';
import { FakeServer } from './testing/fake-server.ts';
import { clientOf, configMap } from './testing/support.ts';

const { configMaps, nodes } = RESOURCES;

async function failure(promise: Promise<unknown>): Promise<KubeError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof KubeError) return error;
    throw error;
  }
  throw new Error('did not fail');
}

describe('client', () => {
  let server: FakeServer;
  let client: KubeClient;
  const ref = { namespace: 'ns', name: 'a' };

  beforeEach(async () => {
    server = new FakeServer();
    client = clientOf(await server.start(), { maxWaitMs: 200 });
  });
  afterEach(async () => {
    await client.close();
    await server.stop();
  });

  it('creates, reads, replaces, patches and deletes', async () => {
    const created = await client.create(configMaps, configMap('a', { x: '1' }));
    expect(await client.get(configMaps, ref)).to.deep.equal(created);
    const replaced = await client.replace(configMaps, { ...created, data: { x: '2' } });
    expect(replaced.data).to.deep.equal({ x: '2' });
    expect(isReason(await failure(client.replace(configMaps, created)), 'Conflict')).to.equal(true);
    const version = { resourceVersion: created.metadata.resourceVersion };
    expect((await failure(client.patchMerge(configMaps, ref, { data: { y: '3' } }, version))).reason).to.equal(
      'Conflict',
    );
    const patched = await client.patchMerge(configMaps, ref, { data: { x: null, y: '3' } });
    expect(patched.data).to.deep.equal({ y: '3' });
    expect((await failure(client.delete(configMaps, ref, { uid: 'another' }))).reason).to.equal('Conflict');
    expect(await client.delete(configMaps, ref, { uid: created.metadata.uid })).to.equal(true);
    expect(await client.delete(configMaps, ref)).to.equal(false);
    expect(await client.get(configMaps, ref)).to.equal(undefined);
  });

  it('names manager and force in a server-side apply', async () => {
    await client.apply(configMaps, configMap('a'));
    expect(server.requests).to.deep.equal(['PATCH /api/v1/namespaces/ns/configmaps/a?fieldManager=test&force=true']);
  });

  it('lists in pages and gives every item its kind', async () => {
    for (let n = 0; n < 1_001; n++) {
      server.store.create({ collection: 'v1/configmaps', namespace: 'ns' }, configMap(`m${n}`));
    }
    const all = await client.list(configMaps);
    expect(all.length).to.equal(1_001);
    expect(new Set(all.map(item => `${item.apiVersion} ${item.kind}`))).to.deep.equal(new Set(['v1 ConfigMap']));
    expect(server.requests.length).to.equal(3);
  });

  it('refuses to name a namespaced object without its namespace before anything is sent', async () => {
    expect((await failure(client.get(configMaps, { name: 'a' }))).message).to.contain('no namespace');
    expect(client.callsSent).to.equal(0);
    expect(await client.get(nodes, { name: 'n' })).to.equal(undefined);
  });

  for (const [status, retryable] of [
    [400, false],
    [403, false],
    [409, true],
    [422, false],
    [500, true],
    [503, true],
  ] as const) {
    it(`${status} is ${retryable ? '' : 'not '}retryable`, async () => {
      server.fail('GET', { status });
      const error = await failure(client.get(configMaps, ref));
      expect([error.status, error.retryable]).to.deep.equal([status, retryable]);
      expect(server.requests.length).to.equal(1);
    });
  }

  it('tells which fields a server refused', async () => {
    const details = { causes: [{ field: 'spec.size', message: 'too small' }] };
    server.fail('POST', { status: 422, body: { kind: 'Status', reason: 'Invalid', message: 'no', details } });
    const error = await failure(client.create(configMaps, configMap('a')));
    expect([error.reason, error.fields]).to.deep.equal(['Invalid', ['spec.size']]);
  });

  it('waits as long as an overloaded server asks, for reads and writes', async () => {
    server.fail('POST', { status: 429, headers: { 'retry-after': '0.05' } }, 2);
    await client.create(configMaps, configMap('a'));
    expect(server.requests.length).to.equal(3);
  });

  it('does not wait beyond its bound, and hands the wish of the server on', async () => {
    server.fail('GET', { status: 429, headers: { 'retry-after': '7' } });
    expect((await failure(client.get(configMaps, ref))).retryAfterMs).to.equal(7_000);
  });

  it('repeats a read whose connection was cut, once, and never a write', async () => {
    server.fail('GET', 'reset');
    expect(await client.get(configMaps, ref)).to.equal(undefined);
    server.fail('POST', 'reset');
    const error = await failure(client.create(configMaps, configMap('a')));
    expect([error.status, error.reason, error.retryable]).to.deep.equal([0, 'Network', true]);
    expect(server.count('POST')).to.equal(1);
  });

  it('has a time limit', async () => {
    server.fail('GET', 'hang');
    expect((await failure(client.get(configMaps, ref, { timeoutMs: 30 }))).reason).to.equal('Timeout');
  });

  it('can be called off', async () => {
    server.fail('GET', 'hang');
    expect((await failure(client.get(configMaps, ref, { signal: AbortSignal.timeout(20) }))).reason).to.equal(
      'Aborted',
    );
  });

  it('shares connections among calls', async () => {
    for (let n = 0; n < 20; n++) await client.get(configMaps, ref);
    expect(server.connections).to.be.at.most(2);
  });

  it('shows every request to its hooks, which may stop it', async () => {
    const seen: string[] = [];
    const killed = new Error('killed here');
    const hooked = client.withHooks({
      before: (call: Call) => {
        seen.push(`${call.verb} ${call.resource} ${call.name ?? ''}`);
        if (call.verb === 'delete') throw killed;
      },
      after: (_call, { status }) => void seen.push(String(status)),
    });
    await hooked.create(configMaps, configMap('a'));
    expect(await hooked.delete(configMaps, ref).catch((error: unknown) => error)).to.equal(killed);
    expect(seen).to.deep.equal(['create configmaps ', '201', 'delete configmaps a']);
    expect(client.callsSent).to.equal(1);
  });

  it('takes a rotated token at once when the old one is refused', async () => {
    server.token = 'new';
    let reads = 0;
    const url = `http://127.0.0.1:${server.port}`;
    const credentials = (): Promise<{ server: string; headers: Record<string, string>; tls: object }> =>
      Promise.resolve({ server: url, headers: { authorization: `Bearer ${reads++ ? 'new' : 'old'}` }, tls: {} });
    const rotated = clientOf(url, { credentials });
    await rotated.create(configMaps, configMap('a'));
    await rotated.close();
    expect(server.count('POST')).to.equal(2);
  });

  it('gives up on a token that stays refused', async () => {
    server.token = 'another';
    expect((await failure(client.get(configMaps, ref))).reason).to.equal('Unauthorized');
    expect(server.requests.length).to.equal(1);
  });
});

describe('client on TLS', () => {
  it('follows a rotated authority', async () => {
    const [before, after] = await Promise.all([makeServerCertificate(), makeServerCertificate()]);
    const server = new FakeServer(before);
    const url = await server.start();
    let ca = before.ca;
    const credentials = (): Promise<{ server: string; headers: object; tls: { ca: string } }> =>
      Promise.resolve({ server: url, headers: {}, tls: { ca } });
    const client = clientOf(url, { credentials } as Parameters<typeof clientOf>[1]);
    await client.create(configMaps, configMap('a'));
    server.rotate(after);
    expect((await failure(client.create(configMaps, configMap('b')))).reason).to.equal('Tls');
    ca = after.ca;
    await client.create(configMaps, configMap('b'));
    await client.close();
    await server.stop();
    expect(server.count('POST')).to.equal(2);
  });
});
