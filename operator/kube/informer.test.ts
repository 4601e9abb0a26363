import { expect } from 'chai';
import type { KubeClient } from './client.ts';
import { Informer } from './informer.ts';
import { RESOURCES, type ConfigMap } from './resources.ts';
import { FakeServer } from './testing/fake-server.ts';
import type { Location } from './testing/fake-store.ts';
import { clientOf, configMap, silentLogger, until } from './testing/support.ts';

const place: Location = { collection: 'v1/configmaps', namespace: 'ns' };
const at = (name: string): Location => ({ ...place, name });
const LIST = 'limit=500';
const WATCH = 'watch=true';

/** Every row of the table of what breaks a watch, on real sockets. Nothing is lost, nothing is told twice. */
describe('informer', () => {
  let server: FakeServer;
  let client: KubeClient;
  let informer: Informer<ConfigMap>;
  let told: string[];
  const names = (): string[] => informer.list().map(object => object.metadata.name);
  const write = (name: string, text: string): void => {
    server.store.update(at(name), configMap(name, { text }));
  };
  const watching = (): Promise<boolean> => until('a watch', () => server.watchers.size === 1);

  beforeEach(async () => {
    server = new FakeServer();
    client = clientOf(await server.start());
    told = [];
    informer = new Informer({
      source: client,
      type: RESOURCES.configMaps,
      log: silentLogger,
      timing: { backoff: { baseMs: 5, maxMs: 20 }, silenceMs: 60 },
    });
    informer.onChange(({ type, object }) => told.push(`${type} ${object.metadata.name}`));
  });
  afterEach(async () => {
    await informer.stop();
    await client.close();
    await server.stop();
  });

  /** Two objects, synced and watching, with the record of events emptied. */
  async function begin(): Promise<void> {
    for (const name of ['a', 'b']) server.store.create(place, configMap(name));
    informer.start();
    await informer.whenSynced();
    await watching();
    expect(told).to.deep.equal(['ADDED a', 'ADDED b']);
    told.length = 0;
  }

  it('lists in pages, keeps no managedFields, then follows', async () => {
    for (let n = 0; n < 700; n++) server.store.create(place, configMap(`m${n}`));
    const managed = configMap('managed');
    managed.metadata.managedFields = [{ manager: 'somebody' }];
    server.store.create(place, managed);
    informer.start();
    await informer.whenSynced();
    expect(names().length).to.equal(701);
    expect(informer.get({ namespace: 'ns', name: 'managed' })?.metadata.managedFields).to.equal(undefined);
    expect(server.count('continue=')).to.equal(1);
    server.store.create(place, configMap('later'));
    await until('the new one', () => informer.get({ namespace: 'ns', name: 'later' }));
  });

  for (const [what, breakIt] of [
    ['the server ends the watch', () => server.breakWatches('end')],
    ['the connection is reset', () => server.breakWatches('reset')],
    ['the connection falls silent', () => server.breakWatches('silence')],
  ] as const) {
    it(`${what}: goes on from the last version without a new list`, async () => {
      await begin();
      breakIt();
      write('a', 'meanwhile');
      server.store.delete(at('b'));
      await until('both events', () => told.length === 2);
      expect(told).to.deep.equal(['MODIFIED a', 'DELETED b']);
      expect(server.count(LIST)).to.equal(1);
    });
  }

  for (const status of [500, 503, 429, 401, 403]) {
    it(`watches again after ${status}s`, async () => {
      await begin();
      server.fail(WATCH, { status }, 2);
      server.breakWatches('reset');
      write('a', 'meanwhile');
      await until('the event', () => told.length === 1);
      expect(server.count(LIST)).to.equal(1);
    });
  }

  it('waits as long as an overloaded server asks', async () => {
    await begin();
    server.fail(WATCH, { status: 429, headers: { 'retry-after': '0.1' } });
    server.breakWatches('end');
    const before = performance.now();
    await watching();
    expect(performance.now() - before).to.be.at.least(95);
  });

  for (const goneByStatus of [false, true]) {
    it(`410 ${goneByStatus ? 'as a status' : 'as an event'}: tells the deletes that it missed`, async () => {
      server.goneByStatus = goneByStatus;
      await begin();
      server.fail(WATCH, 'reset', 1);
      server.breakWatches('reset');
      server.store.delete(at('a'));
      server.store.delete(at('b'));
      server.store.create(place, configMap('b'));
      server.store.compact();
      await until('all events', () => told.length === 3);
      expect(told).to.deep.equal(['DELETED a', 'DELETED b', 'ADDED b']);
      expect(server.count(LIST)).to.equal(2);
    });
  }

  it('a server that finds every version too old is not listed in a hot loop', async () => {
    await begin();
    const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
    server.fail(WATCH, { status: 410, body: gone }, 6);
    server.breakWatches('end');
    await watching();
    // Pauses after the second in a row: at least 4 + 8 + 16 + 16 + 16 ms (5, 10, 20, 20, 20 less a fifth).
    expect(server.count(LIST)).to.equal(7);
    write('a', 'after');
    await until('the event', () => told.includes('MODIFIED a'));
  });

  it('a page token that got lost: lists once more in one piece', async () => {
    for (let n = 0; n < 501; n++) server.store.create(place, configMap(`m${n}`));
    server.fail('continue=500', { status: 410 });
    informer.start();
    await informer.whenSynced();
    expect(names().length).to.equal(501);
    expect(server.requests.filter(line => !line.includes('watch')).length).to.equal(3);
  });

  it('bookmarks move the version on, so that an old list is no matter', async () => {
    await begin();
    server.store.create({ collection: 'v1/secrets', namespace: 'ns' }, configMap('other'));
    server.store.compact();
    server.sendBookmarks();
    await until('contact', () => informer.stats.lastContact > 0);
    server.breakWatches('end');
    await watching();
    expect(server.count(LIST)).to.equal(1);
    expect(told).to.deep.equal([]);
  });

  it('bookmarks keep a quiet watch alive, a half-open one is noticed', async () => {
    await begin();
    for (let n = 0; n < 10; n++) {
      server.sendBookmarks();
      await new Promise(resolve => setTimeout(resolve, 15));
    }
    expect(server.count(WATCH)).to.equal(1);
    server.breakWatches('silence');
    await until('a second watch', () => server.count(WATCH) === 2);
  });

  it('takes a first list that fails as a delay, not as an end', async () => {
    server.fail(LIST, { status: 503 }, 2);
    server.fail(LIST, 'reset', 2);
    server.store.create(place, configMap('a'));
    informer.start();
    await informer.whenSynced();
    expect(names()).to.deep.equal(['a']);
  });

  it('the store came back from an older copy: what it has forgotten is forgotten here', async () => {
    await begin();
    const restore = server.store.snapshot();
    write('a', 'lost');
    server.store.create(place, configMap('lost'));
    await until('the newer store', () => told.length === 2);
    server.fail(WATCH, 'reset', 1);
    server.breakWatches('reset');
    restore();
    await until('the older one', () => told.includes('DELETED lost'));
    expect(informer.get({ namespace: 'ns', name: 'a' })?.data).to.deep.equal(configMap('a').data);
    await watching();
    write('b', 'later');
    await until('what comes later', () => told.includes('MODIFIED b'));
  });

  it('is back within two seconds, with everything, after the server was gone', async () => {
    await begin();
    const port = server.port;
    await server.stop();
    const old = server;
    await until('failures', () => informer.stats.failures > 3);
    server = new FakeServer();
    Object.assign(server.store, { version: 1_000, compactedTo: 999 });
    server.store.create(place, old.store.read(at('a')));
    await server.start(port);
    await until('the missed delete', () => names().length === 1, 2_000);
    expect(told).to.have.members(['DELETED b', 'MODIFIED a']);
  });

  it('a line that is no JSON, and an unknown event, do no harm', async () => {
    await begin();
    server.sendLine({ type: 'SOMETHING', object: { metadata: {} } });
    for (const watcher of server.watchers) watcher.response.write('{"type":\n');
    write('a', 'after');
    await until('the event', () => told.length === 1);
  });

  it('a handler that throws is counted and keeps nobody else from the event', async () => {
    informer.onChange(() => {
      throw new Error('broken handler');
    });
    const after: string[] = [];
    informer.onChange(({ object }) => after.push(object.metadata.name));
    await begin();
    expect(after).to.deep.equal(['a', 'b']);
    expect(informer.stats.handlerErrors).to.equal(2);
  });

  it('a handler that comes late hears of everything there is', async () => {
    await begin();
    const late: string[] = [];
    informer.onChange(({ type, object }) => late.push(`${type} ${object.metadata.name}`));
    expect(late).to.deep.equal(['ADDED a', 'ADDED b']);
  });

  it('after stop nothing comes any more, and nobody waits for ever', async () => {
    await begin();
    await informer.stop();
    write('a', 'after');
    await until('no watch', () => server.watchers.size === 0);
    expect(told).to.deep.equal([]);
    const never = new Informer({ source: client, type: RESOURCES.configMaps, log: silentLogger });
    const waiting = never.whenSynced();
    await never.stop();
    expect(await waiting.catch((error: unknown) => String(error))).to.contain('stopped before');
  });

  it('an object that leaves the selection is deleted here', async () => {
    informer = new Informer({
      source: client,
      type: RESOURCES.configMaps,
      selection: { namespace: 'ns', labelSelector: 'mine=yes' },
      log: silentLogger,
    });
    informer.onChange(({ type, object }) => told.push(`${type} ${object.metadata.name}`));
    server.store.create(place, configMap('a', {}, { mine: 'yes' }));
    server.store.create(place, configMap('foreign'));
    informer.start();
    await informer.whenSynced();
    await watching();
    server.store.update(at('a'), configMap('a'));
    await until('the delete', () => told.length === 2);
    expect(told).to.deep.equal(['ADDED a', 'DELETED a']);
  });
});
