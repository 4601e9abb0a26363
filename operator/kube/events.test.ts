import { expect } from 'chai';
import { EventRecorder, type EventNote } from './events.ts';
import type { Event } from './resources.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { configMap, silentLogger } from './testing/support.ts';

const note: EventNote = { type: 'Warning', reason: 'VolumeMissing', message: 'no volume "x"' };

describe('events', () => {
  let clock: FakeClock;
  let created: Event[];
  let patched: unknown[];
  let isDown: boolean;
  let recorder: EventRecorder;
  const about = configMap('a');
  about.metadata.uid = 'u1';

  beforeEach(() => {
    clock = new FakeClock();
    created = [];
    patched = [];
    isDown = false;
    const answer = <T>(list: T[], item: T): Promise<T> => {
      if (isDown) return Promise.reject(new Error('down'));
      list.push(item);
      return Promise.resolve(item);
    };
    const client = {
      create: (_type: unknown, event: Event) => answer(created, event),
      patchMerge: (_type: unknown, _ref: unknown, patch: unknown) => answer(patched, patch),
    } as unknown as ConstructorParameters<typeof EventRecorder>[0]['client'];
    recorder = new EventRecorder({ client, component: 'c', instance: 'pod-1', log: silentLogger, clock });
  });

  it('says who, what, about which object', async () => {
    recorder.record(about, note);
    await recorder.flush();
    expect(created[0]).to.deep.include({
      reason: 'VolumeMissing',
      note: note.message,
      type: 'Warning',
      action: note.reason,
    });
    expect(created[0]?.regarding).to.deep.include({ kind: 'ConfigMap', name: 'a', uid: 'u1' });
    expect(created[0]?.metadata.name).to.match(/^a\.[0-9a-f]{16}$/);
  });

  it('repeats become a count, written now and then', async () => {
    for (let n = 0; n < 100; n++) recorder.record(about, note);
    await clock.advance(10_000);
    recorder.record(about, note);
    await recorder.flush();
    expect([created.length, patched.length]).to.deep.equal([1, 1]);
    expect(patched[0]).to.have.nested.property('series.count', 101);
  });

  it('the same after a long pause is a new event', async () => {
    recorder.record(about, note);
    await clock.advance(6 * 60_000);
    recorder.record(about, note);
    await recorder.flush();
    expect(new Set(created.map(event => event.metadata.name)).size).to.equal(2);
  });

  it('one object cannot flood the server, and gets its budget back', async () => {
    for (let n = 0; n < 40; n++) recorder.record(about, { ...note, message: `n ${n}` });
    await recorder.flush();
    expect([created.length, recorder.dropped]).to.deep.equal([25, 15]);
    await clock.advance(60_000);
    recorder.record(about, { ...note, message: 'again' });
    await recorder.flush();
    expect(created.length).to.equal(26);
  });

  it('never fails its caller, and queues only so much for a slow server', async () => {
    isDown = true;
    for (let n = 0; n < 300; n++) {
      const other = configMap(`o${n}`);
      other.metadata.uid = `u-${n}`;
      recorder.record(other, { ...note, message: 'x'.repeat(2_000) });
    }
    await recorder.flush();
    expect(recorder.dropped).to.equal(300);
    isDown = false;
    recorder.record(about, { ...note, message: 'y'.repeat(2_000) });
    await recorder.flush();
    expect(created[0]?.note?.length).to.equal(1_024);
  });
});
