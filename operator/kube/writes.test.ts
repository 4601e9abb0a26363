import { expect } from 'chai';
import fc from 'fast-check';
import type { KubeClient } from './client.ts';
import { isReason } from './errors.ts';
import { addFinalizer, removeFinalizer } from './finalizers.ts';
import { RESOURCES } from './resources.ts';
import { mergeDifference, patchStatusIfChanged } from './status.ts';
import { FakeServer, merge } from './testing/fake-server.ts';
import { clientOf, configMap } from './testing/support.ts';

const { configMaps } = RESOURCES;

describe('finalizers and status', () => {
  let server: FakeServer;
  let client: KubeClient;

  beforeEach(async () => {
    server = new FakeServer();
    client = clientOf(await server.start());
  });
  afterEach(async () => {
    await client.close();
    await server.stop();
  });

  it('a finalizer is added beside others, removed, and never written twice', async () => {
    const object = await client.create(configMaps, configMap('a'));
    const foreign = await addFinalizer(client, configMaps, object, 'x/foreign');
    const ours = await addFinalizer(client, configMaps, foreign, 'x/ours');
    expect(ours.metadata.finalizers).to.deep.equal(['x/foreign', 'x/ours']);
    const before = client.callsSent;
    expect(await addFinalizer(client, configMaps, ours, 'x/ours')).to.equal(ours);
    expect(await removeFinalizer(client, configMaps, ours, 'x/none')).to.equal(ours);
    expect(client.callsSent).to.equal(before);
    expect((await removeFinalizer(client, configMaps, ours, 'x/ours'))?.metadata.finalizers).to.deep.equal([
      'x/foreign',
    ]);
  });

  it('a conflict is thrown, not swallowed: the finalizer is not set', async () => {
    const stale = await client.create(configMaps, configMap('a'));
    await client.patchMerge(configMaps, stale.metadata, { data: { x: '1' } });
    const error: unknown = await addFinalizer(client, configMaps, stale, 'x/ours').catch((reason: unknown) => reason);
    expect(isReason(error, 'Conflict')).to.equal(true);
  });

  it('an object being deleted gets no new finalizer, and may be gone when its own is removed', async () => {
    const object = await addFinalizer(client, configMaps, await client.create(configMaps, configMap('a')), 'x/ours');
    await client.delete(configMaps, object.metadata);
    const deleted = (await client.get(configMaps, object.metadata))!;
    expect(await addFinalizer(client, configMaps, deleted, 'x/late')).to.equal(deleted);
    await removeFinalizer(client, configMaps, deleted, 'x/ours');
    expect(await client.get(configMaps, object.metadata)).to.equal(undefined);
    expect(await removeFinalizer(client, configMaps, deleted, 'x/ours')).to.equal(undefined);
  });

  it('status: what differs is written, over the version that was seen, else no call is made', async () => {
    const created = await client.create(configMaps, configMap('a'));
    const first = await patchStatusIfChanged(client, configMaps, created, { phase: 'Creating', parts: { a: 1, b: 2 } });
    const before = client.callsSent;
    await patchStatusIfChanged(client, configMaps, first, { phase: 'Creating', parts: { b: 2 }, gone: undefined });
    expect(client.callsSent).to.equal(before);
    const error: unknown = await patchStatusIfChanged(client, configMaps, created, { phase: 'Running' }).catch(
      (reason: unknown) => reason,
    );
    expect(isReason(error, 'Conflict')).to.equal(true);
  });
});

describe('difference of a status', () => {
  for (const [what, current, desired, patch] of [
    ['nothing', { a: 1, list: [{ x: 1 }] }, { a: 1, list: [{ x: 1, y: undefined }] }, undefined],
    ['a field not named is left alone', { a: 1, b: 2 }, { a: 3 }, { a: 3 }],
    ['a removed field', { a: 1 }, { a: undefined, b: null }, { a: null }],
    ['a nested one alone', { a: { b: 1, c: 2 } }, { a: { c: 3 } }, { a: { c: 3 } }],
    ['a list as a whole', { a: [1, 2] }, { a: [1] }, { a: [1] }],
  ] as const) {
    it(what, () => expect(mergeDifference(current, desired)).to.deep.equal(patch));
  }

  it('property: patching brings what is desired, and then nothing differs', () => {
    const tree = fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.oneof(
        fc.nat(3),
        fc.array(fc.nat(2)),
        fc.dictionary(fc.constantFrom('x', 'y'), fc.oneof(fc.nat(3), fc.constant(null))),
      ),
    );
    fc.assert(
      fc.property(tree, tree, (current, desired) => {
        const patched = merge(merge({}, current), mergeDifference(merge({}, current) as object, desired) ?? {});
        expect(mergeDifference(patched as object, desired)).to.equal(undefined);
      }),
    );
  });
});
