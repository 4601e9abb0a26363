import { expect } from 'chai';
import type { RequestVerdict } from '../ha/action.ts';
import type { KubeClient } from '../kube/client.ts';
import { FakeClock } from '../kube/testing/fake-clock.ts';
import { MemoryApi } from '../kube/testing/memory-api.ts';
import { MPD_OPERATIONS, type RawOperation } from '../kinds/mpd.ts';
import { Operations } from './operations.ts';
import type { Life } from './requests.ts';

const life: Life = { since: undefined, record: undefined };

const verdict = (outcome: RequestVerdict['outcome']): RequestVerdict => ({
  id: 'x',
  outcome,
  epoch: 4,
  reason: 'Why',
  message: 'because',
});

describe('operations that the cluster manager carries out', () => {
  const clock = new FakeClock();
  let api: MemoryApi;
  let events: string[];
  let operations: Operations;

  const stored = (): RawOperation[] =>
    [...api.snapshot()].flatMap(([id, object]) => (id.startsWith('mpdoperations/') ? [object as RawOperation] : []));
  const ask = (spec: Omit<RawOperation['spec'], 'target'>): void => {
    const metadata = { name: 'op', namespace: 'shop' };
    const { apiVersion, kind } = MPD_OPERATIONS;
    api.create(MPD_OPERATIONS, { apiVersion, kind, metadata, spec: { target: { name: 'orders' }, ...spec } } as never);
  };
  const judge = (outcome: RequestVerdict['outcome']): Promise<boolean> =>
    operations.judged(operations.asked(stored(), life)!, { policy: 'p', actions: [], request: verdict(outcome) });

  beforeEach(() => {
    api = new MemoryApi(() => new Date(0));
    events = [];
    operations = new Operations({
      client: api.client(),
      clock,
      event: ({ reason }) => events.push(reason),
      loss: () => '3 MB of log',
    });
  });

  it('are announced, and seen as announced though the watch lags behind', async () => {
    ask({ type: 'switchRw', switchRw: { instance: '1002' } });
    const before = stored();
    await judge('accepted');
    expect(operations.asked(before, life)?.request?.acceptedEpoch).to.equal(4);
    await judge('done');
    expect(stored()[0]?.status).to.include({ phase: 'Succeeded' });
    expect([operations.asked(stored(), life), events]).to.deep.equal([undefined, []]);
  });

  it('are refused in an Event too', async () => {
    ask({ type: 'switchRw', switchRw: { instance: '1002' } });
    await judge('refused');
    expect([stored()[0]?.status?.phase, events]).to.deep.equal(['Failed', ['SwitchoverRefused']]);
  });

  it('end before they begin when they are called off', async () => {
    ask({ type: 'switchRw', switchRw: { instance: '1002' }, cancelled: true });
    await judge('accepted');
    expect(stored()[0]?.status).to.include({ phase: 'Cancelled' });
  });

  it('wait two seconds for the answer: the decisions about the group wait for it', async () => {
    ask({ type: 'switchRw', switchRw: { instance: '1002' } });
    const limits: unknown[] = [];
    const patchStatus = ((_type, _ref, _status, options) => {
      limits.push(options?.timeoutMs);
      return Promise.resolve(stored()[0]);
    }) as KubeClient['patchStatus'];
    operations = new Operations({ client: { patchStatus }, clock, event: () => undefined, loss: () => undefined });
    await judge('accepted');
    expect(limits).to.deep.equal([2_000]);
  });

  it('are left alone while nothing is to be said', async () => {
    ask({ type: 'switchRw', switchRw: { instance: '1002' } });
    expect(await operations.judged(operations.asked(stored(), life)!, { policy: 'p', actions: [] })).to.equal(false);
    expect(stored()[0]?.status?.phase).to.equal(undefined);
  });

  it('that were refused say nothing of what a failover by force before them may have lost', async () => {
    ask({ type: 'forceFailover', forceFailover: { acceptDataLoss: true } });
    await judge('refused');
    expect(stored()[0]?.status?.data).to.deep.equal({ epoch: '4' });
  });

  it('of a forced failover say what may be lost', async () => {
    ask({ type: 'forceFailover', forceFailover: { acceptDataLoss: true } });
    await judge('accepted');
    await judge('done');
    expect(stored()[0]?.status?.data).to.deep.equal({ epoch: '4', loss: '3 MB of log' });
  });
});
