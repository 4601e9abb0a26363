import { expect } from 'chai';
import { applyIfChanged } from '../../operator/kube/apply.ts';
import { KubeClient } from '../../operator/kube/client.ts';
import { findCredentials } from '../../operator/kube/credentials.ts';
import { isGone, isReason } from '../../operator/kube/errors.ts';
import { EventRecorder } from '../../operator/kube/events.ts';
import { addFinalizer, removeFinalizer } from '../../operator/kube/finalizers.ts';
import { Informer } from '../../operator/kube/informer.ts';
import { LeaderElector } from '../../operator/kube/leader.ts';
import { RESOURCES, type ConfigMap, type Pod } from '../../operator/kube/resources.ts';
import { patchStatusIfChanged } from '../../operator/kube/status.ts';
import { FakeClock } from '../../operator/kube/testing/fake-clock.ts';
import { silentLogger, until } from '../../operator/kube/testing/support.ts';
import { controlPlane } from '../support/control-plane.ts';
import { kubeSamples } from './kube-samples.ts';

const namespace = `kube-${process.pid}`;
const { configMaps, events, leases, namespaces, pods } = RESOURCES;

let client: KubeClient;
/** Another writer, such as kubectl. */
let stranger: KubeClient;

const map = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { suite: 'kube' } },
  data,
});
const failure = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

/** Calls that `work` costs. */
async function callsOf(work: () => Promise<unknown>): Promise<number> {
  const before = client.callsSent;
  await work();
  return client.callsSent - before;
}

before(async function () {
  // The first one to ask builds the programs.
  this.timeout(900_000);
  const { kubeconfig } = await controlPlane();
  client = new KubeClient({ credentials: findCredentials({ kubeconfig }), fieldManager: 'polardb-stack-test' });
  stranger = new KubeClient({ credentials: findCredentials({ kubeconfig }), fieldManager: 'stranger' });
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
});

after(async () => {
  await client.delete(namespaces, { name: namespace });
  await Promise.all([client.close(), stranger.close()]);
});

describe('client and a real API server', () => {
  it('reads, writes and refuses as expected', async () => {
    const created = await client.create(configMaps, map('crud', { x: '1' }));
    expect(isReason(await failure(client.create(configMaps, map('crud'))), 'AlreadyExists')).to.equal(true);
    const changed = await client.replace(configMaps, { ...created, data: { x: '2' } });
    expect(isReason(await failure(client.replace(configMaps, created)), 'Conflict')).to.equal(true);
    const stale = { resourceVersion: created.metadata.resourceVersion };
    const patch = { data: { y: '3' } };
    expect(isReason(await failure(client.patchMerge(configMaps, changed.metadata, patch, stale)), 'Conflict')).to.equal(
      true,
    );
    const patched = await client.patchMerge(configMaps, changed.metadata, patch);
    expect(patched.data).to.deep.equal({ x: '2', y: '3' });
    const refused = await failure(client.delete(configMaps, patched.metadata, { uid: crypto.randomUUID() }));
    expect(isReason(refused, 'Conflict')).to.equal(true);
    expect(await client.delete(configMaps, patched.metadata, { uid: patched.metadata.uid })).to.equal(true);
    expect(await client.get(configMaps, patched.metadata)).to.equal(undefined);
    const invalid = await failure(client.create(configMaps, map('Not A Name')));
    expect(isReason(invalid, 'Invalid') && invalid.fields).to.deep.equal(['metadata.name']);
  });

  it('pages through long lists and finds by label', async () => {
    await Promise.all(Array.from({ length: 7 }, (_, n) => client.create(configMaps, map(`page-${n}`))));
    const selection = { namespace, labelSelector: 'suite=kube' };
    const first = await client.listPage(configMaps, { ...selection, limit: 5 });
    const second = await client.listPage(configMaps, { ...selection, limit: 5, next: first.next });
    expect([first.items.length, second.items.length, second.next]).to.deep.equal([5, 2, undefined]);
    expect(second.items[0]?.kind).to.equal('ConfigMap');
    expect((await client.list(configMaps, { namespace, labelSelector: 'suite=other' })).length).to.equal(0);
    expect(isGone(await failure(client.listPage(configMaps, { namespace, next: 'nonsense' })))).to.equal(false);
  });

  it('a finalizer holds a deleted object until it is removed', async () => {
    const object = await addFinalizer(client, configMaps, await client.create(configMaps, map('held')), 'test.io/hold');
    await client.delete(configMaps, object.metadata);
    const deleted = (await client.get(configMaps, object.metadata))!;
    expect(deleted.metadata.deletionTimestamp).to.be.a('string');
    await removeFinalizer(client, configMaps, deleted, 'test.io/hold');
    expect(await client.get(configMaps, object.metadata)).to.equal(undefined);
  });
});

describe('apply and a real API server', () => {
  for (const [type, sample] of kubeSamples(namespace)) {
    it(`${type.kind}: the second apply makes no call, with the server's defaults in place`, async () => {
      const { object, reason } = await applyIfChanged(client, { type, desired: sample, current: undefined });
      expect(reason).to.equal('absent');
      const live = await client.get(type, sample.metadata);
      const again = (): Promise<unknown> =>
        applyIfChanged(client, { type, desired: sample, current: live }).then(({ reason: why }) => {
          expect(why).to.equal(undefined);
        });
      expect(await callsOf(again)).to.equal(0);
      expect(live?.metadata.uid).to.equal(object.metadata.uid);
    });
  }

  it('repairs drift in one call, leaves foreign fields alone, removes what is no longer wanted', async () => {
    const type = configMaps;
    const desired = map('drift', { ours: '1', old: '1' });
    await applyIfChanged(client, { type, desired, current: undefined });
    await stranger.patchMerge(type, desired.metadata, {
      metadata: { labels: { foreign: 'yes' } },
      data: { ours: 'broken', foreign: '1' },
    });
    const drifted = await client.get(type, desired.metadata);
    let repaired = drifted;
    const repair = async (): Promise<void> => {
      const result = await applyIfChanged(client, { type, desired, current: drifted });
      expect(result.reason).to.equal('drift of data.ours');
      repaired = result.object;
    };
    expect(await callsOf(repair)).to.equal(1);
    expect(repaired?.data).to.deep.equal({ ours: '1', old: '1', foreign: '1' });
    const { object, reason } = await applyIfChanged(client, {
      type,
      desired: map('drift', { ours: '1' }),
      current: repaired,
    });
    expect([reason, object.data]).to.deep.equal(['changed', { ours: '1', foreign: '1' }]);
    expect(object.metadata.labels?.foreign).to.equal('yes');
  });
});

describe('informer and a real API server', () => {
  it('follows creates, changes, deletes and successors', async () => {
    const told: string[] = [];
    const selection = { namespace, labelSelector: 'watched=yes' };
    const watched = new Informer({ source: client, type: configMaps, selection, log: silentLogger });
    watched.onChange(({ type, object }) => told.push(`${type} ${object.metadata.name}`));
    const labelled = map('watched');
    labelled.metadata.labels = { watched: 'yes' };
    await client.create(configMaps, labelled);
    watched.start();
    try {
      await watched.whenSynced();
      await client.patchMerge(configMaps, labelled.metadata, { data: { x: '1' } });
      await client.delete(configMaps, labelled.metadata);
      await client.create(configMaps, labelled);
      await until('the successor', () => told.length === 4, 5_000);
      expect(told).to.deep.equal(['ADDED watched', 'MODIFIED watched', 'DELETED watched', 'ADDED watched']);
      const [object] = watched.list();
      expect([object?.kind, object?.metadata.managedFields]).to.deep.equal(['ConfigMap', undefined]);
    } finally {
      await watched.stop();
    }
  });
});

describe('leader election on a real Lease', () => {
  it('one leads, and hands over when it stops', async () => {
    const heard: string[] = [];
    const candidate = (identity: string): LeaderElector =>
      new LeaderElector({
        client,
        lease: { namespace, name: 'elected' },
        identity,
        onStarted: () => heard.push(identity),
        onLost: () => heard.push(`${identity} lost`),
        log: silentLogger,
        timing: { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 100 },
      });
    const [first, second] = [candidate('first'), candidate('second')];
    first.start();
    await until('the first', () => first.isLeader, 5_000);
    second.start();
    await until('the second has looked', () => second.holder === 'first', 5_000);
    await first.stop();
    await until('the second', () => second.isLeader, 5_000);
    const lease = await client.get(leases, { namespace, name: 'elected' });
    expect([lease?.spec?.holderIdentity, lease?.spec?.leaseTransitions]).to.deep.equal(['second', 1]);
    await second.stop();
    expect(heard).to.deep.equal(['first', 'second']);
  });
});

describe('events and status on a real API server', () => {
  it('an event is written, and repeats are counted in it', async () => {
    const about = await client.create(configMaps, map('eventful'));
    const clock = new FakeClock();
    const recorder = new EventRecorder({ client, component: 'test', instance: 'me', log: silentLogger, clock });
    const note = { type: 'Warning', reason: 'Tested', message: 'something to see' } as const;
    recorder.record(about, note);
    await clock.advance(11_000);
    recorder.record(about, note);
    await recorder.flush();
    expect(recorder.dropped).to.equal(0);
    const [event] = await client.list(events, { namespace, fieldSelector: 'reason=Tested' });
    expect([event?.series?.count, event?.regarding?.name]).to.deep.equal([2, 'eventful']);
  });

  it('a status is written once, and refused over a version that is gone', async () => {
    const pod = kubeSamples(namespace).find(([type]) => type === pods)?.[1] as Pod;
    const current = (await client.get(pods, pod.metadata)) ?? (await client.create(pods, pod));
    const message = `set at ${Date.now()}`;
    const changed = await patchStatusIfChanged(client, pods, current, { message });
    expect(changed.status?.message).to.equal(message);
    expect(await callsOf(() => patchStatusIfChanged(client, pods, changed, { message }))).to.equal(0);
    const refused = await failure(patchStatusIfChanged(client, pods, current, { message: 'stale' }));
    expect(isReason(refused, 'Conflict')).to.equal(true);
    await client.delete(pods, pod.metadata, { graceSeconds: 0 });
  });
});
