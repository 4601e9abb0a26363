import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResourceEvent } from '@dot-i/k8s-operator';
import { expect } from 'chai';
import { isReason } from './errors.ts';
import type { OperatorMetrics, StackOperatorOptions } from './operator.ts';
import { FakeServer } from './testing/fake-server.ts';
import type { Location } from './testing/fake-store.ts';
import { SampleOperator } from './testing/sample-operator.ts';
import { clientOf, configMap, until } from './testing/support.ts';

const maps: Location = { collection: 'v1/configmaps', namespace: 'ns' };
const secrets: Location = { collection: 'v1/secrets', namespace: 'ns' };
const TIMING = { leaseMs: 1_000, renewDeadlineMs: 150, retryMs: 20 };

const secret = (name: string, more: object = {}): ReturnType<typeof configMap> =>
  ({ ...configMap(name), kind: 'Secret', ...more }) as unknown as ReturnType<typeof configMap>;

/** Every row of the table of what the plain base class does wrong, with what it does here. */
describe('operator', () => {
  let server: FakeServer;
  const operators: SampleOperator[] = [];
  const exit = process.exit.bind(process);
  let exits: number;

  async function run(options: Partial<StackOperatorOptions> = {}): Promise<SampleOperator> {
    const operator = new SampleOperator(clientOf(`http://127.0.0.1:${server.port}`), options);
    operators.push(operator);
    await operator.start();
    return operator;
  }
  const election = (identity: string): Partial<StackOperatorOptions> => ({
    election: { lease: { namespace: 'ns', name: 'sample' }, identity, timing: TIMING },
  });
  const watches = (count: number): Promise<boolean> => until('watches', () => server.watchers.size === count);
  const secretNames = (): string[] => server.store.select(secrets).map(object => object.metadata.name);

  before(() => {
    process.exit = () => {
      exits++;
      throw new Error('process.exit was called');
    };
  });
  after(() => {
    process.exit = exit;
  });
  beforeEach(async () => {
    exits = 0;
    server = new FakeServer();
    await server.start();
  });
  afterEach(async () => {
    await Promise.all(operators.splice(0).map(operator => operator.drain()));
    await server.stop();
    expect(exits).to.equal(0);
  });

  it('reconciles what is there and what changes', async () => {
    server.store.create(maps, configMap('a', { text: '1' }));
    const operator = await run();
    await until('the copy', () => secretNames().length === 1);
    server.store.update({ ...maps, name: 'a' }, configMap('a', { text: '2' }));
    await until('the change', () => (server.store.read({ ...secrets, name: 'a' }) as unknown as { data: object }).data);
    server.store.delete({ ...maps, name: 'a' });
    await until('the delete', () => secretNames().length === 0);
    expect(new Set(operator.reconciled)).to.deep.equal(new Set(['ns/a']));
  });

  it('a full round of bad luck: reset, 503, silence, 410, bookmarks; nothing lost, nothing told twice', async () => {
    for (const name of ['a', 'b', 'c']) server.store.create(secrets, secret(name));
    const operator = await run();
    await until('all', () => operator.events.length === 3);
    await watches(2);
    server.fail('secrets?watch', { status: 503 }, 2);
    server.breakWatches('reset');
    server.store.delete({ ...secrets, name: 'a' });
    await until('DELETED a', () => operator.events.includes('DELETED a'));
    await watches(2);
    server.sendBookmarks();
    server.breakWatches('silence');
    server.store.delete({ ...secrets, name: 'b' });
    server.store.delete({ ...secrets, name: 'c' });
    server.store.create(secrets, secret('c'));
    server.store.compact();
    await until('DELETED b', () => operator.events.length === 7);
    expect(operator.events.slice(3)).to.have.members(['DELETED a', 'DELETED b', 'DELETED c', 'ADDED c']);
    expect(operator.events.indexOf('DELETED c')).to.be.lessThan(operator.events.lastIndexOf('ADDED c'));
  });

  it('a polite end of a watch brings no second round of ADDED', async () => {
    server.store.create(secrets, secret('a'));
    const operator = await run();
    await watches(2);
    server.breakWatches('end');
    await watches(2);
    server.store.create(secrets, secret('b'));
    await until('b', () => operator.events.includes('ADDED b'));
    expect(operator.events).to.deep.equal(['ADDED a', 'ADDED b']);
  });

  it('a handler that throws is called again, a delete after it is not lost', async () => {
    const operator = await run();
    await watches(2);
    let failures = 2;
    operator.onSecret = () => (failures-- > 0 ? Promise.reject(new Error('not yet')) : Promise.resolve());
    server.store.create(secrets, secret('a'));
    server.store.delete({ ...secrets, name: 'a' });
    await until('the delete', () => operator.events.includes('DELETED a'));
    expect(failures).to.equal(-1);
  });

  it('a slow handler holds up nobody, and a burst of writes is one run', async () => {
    const operator = await run();
    await watches(2);
    let release: () => void = () => undefined;
    operator.before = key =>
      key === 'ns/slow' && operator.reconciled.length === 0
        ? new Promise(resolve => (release = resolve))
        : Promise.resolve();
    server.store.create(maps, configMap('slow'));
    await until('the slow one', () => operator.watchStats[0]?.objects === 1);
    for (const name of ['b', 'c', 'd']) server.store.create(maps, configMap(name));
    await until('the others', () => operator.reconciled.length === 3);
    for (let n = 0; n < 3; n++) server.store.update({ ...maps, name: 'slow' }, configMap('slow', { n: String(n) }));
    await until('the events', () => operator.configMaps.get({ namespace: 'ns', name: 'slow' })?.data?.n === '2');
    release();
    await until('two runs', () => operator.reconciled.filter(key => key === 'ns/slow').length === 2);
    expect(operator.reconciled.length).to.equal(5);
  });

  it('finalizers: set over what was seen, again after a conflict, action before removal', async () => {
    const operator = await run();
    await watches(2);
    const actions: string[] = [];
    let tries = 0;
    operator.onSecret = async event => {
      if (tries++ === 0) server.store.update({ ...secrets, name: 'a' }, secret('a', { metadata: overtaken(event) }));
      await operator.handleResourceFinalizer(event, 'x/ours', async deleted => {
        actions.push(`cleaned ${deleted.meta.name}`);
        await Promise.resolve();
      });
    };
    server.store.create(secrets, secret('a'));
    await until(
      'the finalizer',
      () => server.store.read({ ...secrets, name: 'a' }).metadata.finalizers?.[0] === 'x/ours',
    );
    expect(tries).to.be.greaterThan(1);
    server.store.delete({ ...secrets, name: 'a' });
    await until('it is gone', () => secretNames().length === 0);
    expect(actions).to.deep.equal(['cleaned a']);
  });

  it('status helpers throw conflicts', async () => {
    const operator = await run();
    let event: ResourceEvent | undefined;
    operator.onSecret = seen => {
      event ??= seen;
      return Promise.resolve();
    };
    server.store.create(secrets, secret('a'));
    const { meta } = await until('the event', () => event);
    const after = await operator.patchResourceStatus(meta, { phase: 'one' });
    expect(after.resourceVersion).not.to.equal(meta.resourceVersion);
    const second = await operator.setResourceStatus(after, { phase: 'two' });
    expect(server.store.read({ ...secrets, name: 'a' }).status).to.deep.equal({ phase: 'two' });
    for (const write of [operator.patchResourceStatus(after, { phase: 'x' }), operator.setResourceStatus(after, {})]) {
      expect(isReason(await write.catch((error: unknown) => error), 'Conflict')).to.equal(true);
    }
    expect(second.id).to.equal(meta.id);
  });

  it('one kind in two namespaces is watched twice, and all of it ends with the drain', async () => {
    const operator = await run();
    for (const namespace of ['one', 'two']) {
      await operator.watchResource('', 'v1', 'services', () => Promise.resolve(), namespace);
    }
    await watches(4);
    operator.stop();
    expect(await operator.drain()).to.equal(true);
    await watches(0);
  });

  it('a definition is created, and brought up to date later', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'crd-'));
    const operator = await run();
    const file = join(folder, 'crd.yaml');
    const write = (text: string): Promise<void> => writeFile(file, text);
    const crd = (version: string): string =>
      `kind: CustomResourceDefinition\nmetadata: {name: things.x}\nspec: {group: x, names: {plural: things}, versions: [{name: ${version}}]}`;
    await write(crd('v1'));
    await operator.registerCustomResourceDefinition(file);
    await write(crd('v2'));
    const registered = await operator.registerCustomResourceDefinition(file);
    expect([registered.group, registered.plural, registered.versions[0]?.name]).to.deep.equal(['x', 'things', 'v2']);
    await write('kind: Pod');
    const error: unknown = await operator.registerCustomResourceDefinition(file).catch((reason: unknown) => reason);
    await rm(folder, { recursive: true });
    expect(String(error)).to.contain('no CustomResourceDefinition');
  });

  it('a standby is warm but does nothing, and takes over when the leader drains', async () => {
    server.store.create(maps, configMap('a'));
    const first = await run(election('first'));
    await until('the first', () => first.reconciled.length === 1);
    const second = await run(election('second'));
    await until('warm', () => second.configMaps.isSynced);
    server.store.create(maps, configMap('b'));
    await until('b', () => first.reconciled.length === 2);
    expect([second.isLeader, second.reconciled]).to.deep.equal([false, []]);
    expect(await first.drain()).to.equal(true);
    await until('the second', () => second.reconciled.length === 2);
  });

  it('lost leadership: running reconciles are called off and cannot write; back again, they run again', async () => {
    const operator = await run(election('only'));
    await until('leader', () => operator.isLeader);
    let signal: AbortSignal | undefined;
    let goOn: () => void = () => undefined;
    operator.before = (_key, run) => {
      if (signal) return Promise.resolve();
      signal = run.signal;
      return new Promise(resolve => (goOn = resolve));
    };
    server.store.create(maps, configMap('a'));
    const running = await until('a run', () => signal);
    server.fail('leases', { status: 503 }, 15);
    await until('the loss', () => !operator.isLeader);
    // Nothing can be written from that moment on; the run hears of it in its turn.
    await until('the end of the run', () => running.aborted);
    goOn();
    await until('back', () => operator.reconciled.length === 1);
    expect(secretNames()).to.deep.equal(['a']);
    expect(server.requests.filter(line => line.startsWith('PATCH')).length).to.equal(1);
  });

  it('offers figures of leadership, of each kind that is watched, and of each controller', async () => {
    const leaders = new Map<string, () => boolean>();
    const watched = new Map<string, () => { objects: number }>();
    const controllers: string[] = [];
    const metrics: OperatorMetrics = {
      leader: (name, isLeader) => void leaders.set(name, isLeader),
      watch: (name, stats) => void watched.set(name, stats),
      controller: name => {
        controllers.push(name);
        return { events: {}, measured: reconcile => reconcile };
      },
    };
    server.store.create(maps, configMap('a'));
    const operator = await run({ ...election('first'), metrics });
    await until('the copy', () => operator.reconciled.length === 1);
    expect([leaders.get('sample')?.(), watched.get('configmaps')?.().objects]).to.deep.equal([true, 1]);
    expect([[...watched.keys()], controllers]).to.deep.equal([
      ['configmaps', 'secrets'],
      ['copy', 'secrets.v1'],
    ]);
  });

  it('a drain calls off what does not end in time, and says so', async () => {
    const operator = await run({ drainMs: 50 });
    await watches(2);
    let isRunning = false;
    operator.before = (_key, { signal }) => {
      isRunning = true;
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('off'))));
    };
    server.store.create(maps, configMap('a'));
    await until('a run', () => isRunning);
    expect(await operator.drain()).to.equal(false);
  });

  it('SIGTERM: the running reconcile ends, the lease is free, the process ends by itself', async () => {
    server.store.create(maps, configMap('a'));
    const child = fork(join(import.meta.dirname, 'testing/drain-child.ts'), [`http://127.0.0.1:${server.port}`]);
    const messages: string[] = [];
    child.on('message', message => messages.push(message as string));
    const exited = once(child, 'exit');
    await until('a run', () => messages.includes('running ns/a'), 8_000);
    expect(secretNames()).to.deep.equal([]);
    child.kill('SIGTERM');
    expect(await exited).to.deep.equal([0, null]);
    expect(messages).to.include('drained true');
    expect(secretNames()).to.deep.equal(['a']);
    const lease = server.store.read({ collection: 'coordination.k8s.io/v1/leases', namespace: 'ns', name: 'sample' });
    expect(lease).to.have.nested.property('spec.holderIdentity', '');
  });
});

function overtaken(event: ResourceEvent): object {
  return { ...(event.object.metadata as object), labels: { changed: 'meanwhile' }, resourceVersion: undefined };
}
