import { expect } from 'chai';
import type { CallHook } from '../kube/call.ts';
import { KubeError } from '../kube/errors.ts';
import { RESOURCES } from '../kube/resources.ts';
import { settle } from '../kube/testing/fake-clock.ts';
import { MemoryApi } from '../kube/testing/memory-api.ts';
import { Ledger } from './ledger.ts';
import { RecordStore } from './record-store.ts';
import { created, granted, one, revoked, targetFor, two } from './testing/samples.ts';
import { childMeta } from '../kinds/child.ts';

const REF = { namespace: 'shop', name: 'orders-primary' };
const META = childMeta(targetFor(), 'orders-primary');

describe('the record as a leader knows it', () => {
  let api: MemoryApi;
  let calls: string[];
  /** What becomes of the next write. */
  let fate: 'stored' | 'lost' | 'refused';
  let ledger: Ledger;
  let store: RecordStore;
  let now: number;

  const hook: CallHook = {
    before: async ({ verb }) => {
      calls.push(verb);
      if (verb === 'update') await settle();
      if (verb === 'get' || fate === 'stored') return;
      const status = fate === 'lost' ? 0 : 403;
      throw new KubeError({ status, reason: fate === 'lost' ? 'Timeout' : 'Forbidden', message: fate });
    },
  };

  beforeEach(async () => {
    api = new MemoryApi(() => new Date(0));
    calls = [];
    fate = 'stored';
    now = 0;
    store = new RecordStore(api.client(hook), REF, () => now);
    ledger = new Ledger(store);
    await ledger.known();
    await ledger.write({ do: 'create', record: created, message: '' }, undefined, META);
    calls = [];
  });

  const change = async (): Promise<void> => {
    const client = api.client();
    const lease = await client.get(RESOURCES.leases, REF);
    await client.patchMerge(RESOURCES.leases, REF, { metadata: { labels: { touched: String(api.version) } } });
    expect(lease).to.not.equal(undefined);
  };
  const write = (what: 'grant' | 'revoke') =>
    ledger.write({ do: what, record: what === 'grant' ? granted : revoked, message: '' }, ledger.recorded, META);

  it('is read once, not at each look', async () => {
    await ledger.known();
    expect(calls).to.deep.equal([]);
    expect(ledger.recorded?.record).to.deep.equal(created);
  });

  it('is read again before it is written, and written over that version', async () => {
    expect(await write('grant')).to.equal('written');
    expect(calls).to.deep.equal(['get', 'update']);
    expect(ledger.recorded?.record.holder).to.deep.equal(one);
    expect(ledger.term).to.equal(granted.term);
  });

  it('is not written when somebody else changed it since the decision', async () => {
    await change();
    expect(await write('grant')).to.equal('overtaken');
    expect(calls).to.deep.equal(['get']);
    expect(ledger.term).to.equal(created.term);
  });

  it('gives no right to answer while a revoke is under way, nor after one without an answer', async () => {
    await write('grant');
    expect(ledger.mayAnswer(one, true)).to.equal(true);
    expect([ledger.mayAnswer(two, true), ledger.mayAnswer(one, false)]).to.deep.equal([false, false]);
    fate = 'lost';
    const writing = write('revoke');
    await Promise.resolve();
    expect(await writing).to.equal('unanswered');
    expect(ledger.mayAnswer(one, true)).to.equal(false);
    fate = 'stored';
    await ledger.known();
    // Read again, but not stamped: that write may still land.
    expect([ledger.mayAnswer(one, true), ledger.term]).to.deep.equal([false, undefined]);
  });

  it('a refusal of the server leaves all as it was', async () => {
    await write('grant');
    fate = 'refused';
    const error = await write('revoke').catch((it: unknown) => it);
    expect(error).to.include({ reason: 'Forbidden' });
    fate = 'stored';
    await ledger.known();
    expect(ledger.mayAnswer(one, true)).to.equal(true);
  });

  for (const [what, version, reads] of [
    ['its own write, shown late,', 'own', 0],
    ['a version of somebody else', '999', 1],
    ['that it is gone', undefined, 1],
  ] as const) {
    it(`the watch shows ${what}: read ${reads} times`, async () => {
      const own = ledger.recorded?.version;
      await write('grant');
      calls = [];
      ledger.observed(version === 'own' ? own : version);
      await ledger.known();
      expect(calls.length).to.equal(reads);
    });
  }

  for (const isShown of [true, false]) {
    it(`a restored copy of one of its own former writes is noticed ${isShown ? 'by the watch' : 'when it is disobeyed'}`, async () => {
      const created = ledger.recorded!;
      await write('grant');
      const granted = ledger.recorded!;
      ledger.observed(created.version);
      ledger.observed(granted.version);
      await ledger.known();
      calls = [];
      if (isShown) ledger.observed(created.version);
      else ledger.doubt();
      expect(ledger.mayAnswer(one, true)).to.equal(false);
      await ledger.known();
      expect(calls).to.deep.equal(['get']);
    });
  }

  it('a restored copy of before its own write is noticed though the watch never showed that write', async () => {
    const created = ledger.recorded?.version;
    ledger.observed(created);
    await write('grant');
    calls = [];
    now = ledger.doubtfulFrom! - 1;
    ledger.observed(created);
    await ledger.known();
    expect(calls).to.deep.equal([]);
    now++;
    await ledger.known();
    expect(calls).to.deep.equal(['get']);
    ledger.observed(ledger.recorded?.version);
    expect(ledger.doubtfulFrom).to.equal(undefined);
  });

  it('what the watch shows again and again is read once', async () => {
    await change();
    for (let i = 0; i < 3; i++) {
      ledger.observed(String(api.version));
      await ledger.known();
    }
    expect(calls).to.deep.equal(['get']);
  });

  it('a write of a former leadership gives the next one nothing', async () => {
    await write('grant');
    const writing = write('revoke');
    await settle();
    ledger.reset();
    await writing;
    expect([ledger.term, ledger.mayAnswer(one, true)]).to.deep.equal([undefined, false]);
    calls = [];
    await ledger.known();
    expect(calls).to.deep.equal(['get']);
  });

  it('a new leadership reads it anew and has stamped nothing', async () => {
    ledger.reset();
    expect(ledger.term).to.equal(undefined);
    await ledger.known();
    expect(calls).to.deep.equal(['get']);
  });
});
