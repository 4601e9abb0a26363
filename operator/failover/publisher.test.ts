import { expect } from 'chai';
import type { CallHook } from '../kube/call.ts';
import type { KubeClient } from '../kube/client.ts';
import { RESOURCES, type EndpointSlice, type Pod } from '../kube/resources.ts';
import { MemoryApi } from '../kube/testing/memory-api.ts';
import { Publisher, publicationOf } from './publisher.ts';
import { one, podOf, targetFor, two } from './testing/samples.ts';

const target = targetFor();
const REF = { namespace: 'shop', name: 'orders-rw' };
const [first, second] = target.instances;
const at = publicationOf(one, { pod: podOf('1001'), instance: first!, address: '10.0.0.1' });

describe('publication of the RW', () => {
  let api: MemoryApi;
  let calls: string[];
  let publisher: Publisher;
  const slice = (): EndpointSlice | undefined => api.find(RESOURCES.endpointSlices, REF) as EndpointSlice | undefined;
  const stored = (id: string): Pod | undefined =>
    api.find(RESOURCES.pods, { namespace: 'shop', name: `orders-${id}-${id}` }) as Pod | undefined;

  beforeEach(() => {
    api = new MemoryApi(() => new Date(0));
    calls = [];
    const hook: CallHook = { before: ({ verb, resource }) => void calls.push(`${verb} ${resource}`) };
    publisher = new Publisher(api.client(hook));
  });

  it('is one write of one EndpointSlice that names pod and incarnation', async () => {
    await publisher.publish(target, at, undefined);
    expect(calls).to.deep.equal(['patch endpointslices']);
    expect(slice()?.endpoints).to.deep.equal([
      {
        addresses: ['10.0.0.1'],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: 'node-1',
        targetRef: { kind: 'Pod', namespace: 'shop', name: 'orders-1001-1001', uid: 'pod-1001' },
      },
    ]);
    expect(slice()?.ports).to.deep.equal([{ name: 'postgresql', port: 5432, protocol: 'TCP' }]);
    expect(publisher.published(slice())).to.deep.equal(one);
  });

  it('is seen at once, though the watch still shows the former one', async () => {
    await publisher.publish(target, at, undefined);
    const old = slice();
    await publisher.publish(target, { ...at, incarnation: two }, old);
    expect(publisher.published(old)).to.deep.equal(two);
    expect(publisher.published(slice())).to.deep.equal(two);
  });

  it('waits two seconds for its answer: the decisions about the group wait for it', async () => {
    const limits: unknown[] = [];
    const apply = ((_type, object, options) => {
      limits.push(options?.timeoutMs);
      return Promise.resolve(object);
    }) as KubeClient['apply'];
    await new Publisher({ apply, patchMerge: () => Promise.reject(new Error('no label here')) }).publish(
      target,
      at,
      undefined,
    );
    expect(limits).to.deep.equal([2_000]);
  });

  it('is gone when somebody deleted it, and is made again', async () => {
    await publisher.publish(target, at, undefined);
    publisher.published(slice());
    await api.client().delete(RESOURCES.endpointSlices, REF);
    expect(publisher.published(slice())).to.equal(undefined);
    await publisher.publish(target, at, slice());
    expect(publisher.published(undefined)).to.deep.equal(one);
  });

  it('costs no call when it stands already', async () => {
    await publisher.publish(target, at, undefined);
    await publisher.publish(target, at, slice());
    expect(calls).to.have.length(1);
  });

  it('leads to nobody when it is withdrawn, and keeps its kind of addresses', async () => {
    await publisher.publish(target, { ...at, address: 'fd00::1' }, undefined);
    await publisher.publish(target, undefined, slice());
    expect(slice()).to.deep.include({ addressType: 'IPv6', endpoints: [] });
    expect(publisher.published(slice())).to.equal(undefined);
  });

  it('labels pods by their roles, and those only that have another one', async () => {
    const label = 'apsara.metric.db_ins_type';
    const pods = [podOf('1001'), podOf('1002', { labels: { [label]: 'polardb_mpd_ro' } })];
    for (const pod of pods) await api.client().create(RESOURCES.pods, pod);
    const seen = [stored('1001')!, stored('1002')!];
    await publisher.label(target, seen, one);
    expect(calls).to.deep.equal(['patch pods']);
    expect(stored('1001')?.metadata.labels).to.include({ [label]: 'polardb_mpd_rw' });
    await publisher.label(target, seen, undefined);
    expect(calls).to.have.length(1);
  });

  it('a pod that goes meanwhile needs no label', async () => {
    await publisher.label(target, [podOf('1001')], one);
    expect(second?.role).to.equal('ro');
  });
});
