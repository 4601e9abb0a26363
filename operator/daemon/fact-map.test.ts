import { expect } from 'chai';
import { RESOURCES, type ConfigMap } from '../kube/resources.ts';
import { FakeClock } from '../kube/testing/fake-clock.ts';
import { MemoryApi } from '../kube/testing/memory-api.ts';
import { HOST_FACTS_LABEL } from '../model/host.ts';
import { FactMap, type FactEdit } from './fact-map.ts';

const ref = { namespace: 'kube-system', name: 'facts' };
const seen =
  (value: string): FactEdit =>
  (current, now) =>
    current?.data.seen === value ? undefined : { data: { ...current?.data, seen: value }, annotations: { at: now } };

describe('a ConfigMap with facts', () => {
  let clock: FakeClock;
  let api: MemoryApi;
  let calls: string[];
  let map: FactMap;
  const stored = (): ConfigMap => api.find(RESOURCES.configMaps, ref) as ConfigMap;
  const edited = (change: Partial<ConfigMap>): void => {
    api.update(RESOURCES.configMaps, { ...stored(), ...change }, 'rest');
  };

  beforeEach(() => {
    clock = new FakeClock();
    api = new MemoryApi(() => clock.date());
    calls = [];
    const client = api.client({ before: ({ verb }) => void calls.push(verb) });
    map = new FactMap({ client, ref, job: 'ports', clock });
  });

  it('is made with its label and the time of the change', async () => {
    expect(await map.write(seen('a'))).to.equal(true);
    expect(stored().data).to.deep.equal({ seen: 'a' });
    expect(stored().metadata.labels).to.deep.equal({ [HOST_FACTS_LABEL]: 'ports' });
    expect(stored().metadata.annotations).to.deep.equal({ at: '2026-01-01T00:00:00Z' });
  });

  it('is neither read nor written while nothing changes', async () => {
    await map.write(seen('a'));
    calls.length = 0;
    for (let n = 0; n < 9; n++) {
      await clock.advance(60_000);
      expect(await map.write(seen('a'))).to.equal(false);
    }
    expect(calls).to.deep.equal([]);
  });

  it('what others wrote over it is put right within ten minutes, and the rest of theirs stays', async () => {
    await map.write(seen('a'));
    edited({ data: { seen: 'b', theirs: 'x' } });
    await clock.advance(600_000);
    expect(await map.write(seen('a'))).to.equal(true);
    expect(stored().data).to.deep.equal({ seen: 'a', theirs: 'x' });
    expect(stored().metadata.annotations?.at).to.equal('2026-01-01T00:10:00Z');
  });

  it('a conflict is solved with what is there now', async () => {
    await map.write(seen('a'));
    edited({ data: { seen: 'b', theirs: 'x' } });
    expect(await map.write(seen('c'))).to.equal(true);
    expect(stored().data).to.deep.equal({ seen: 'c', theirs: 'x' });
  });

  it('deleted, it is made again by the next change', async () => {
    await map.write(seen('a'));
    api.delete(RESOURCES.configMaps, ref, {});
    expect(await map.write(seen('c'))).to.equal(true);
    expect(stored().data).to.deep.equal({ seen: 'c' });
  });

  it("the original's, without our label, gets it, and keeps its content", async () => {
    api.create(RESOURCES.configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: ref,
      data: { seen: 'a' },
    } as ConfigMap);
    expect(await map.write(seen('a'))).to.equal(true);
    expect(stored().data).to.deep.equal({ seen: 'a' });
    expect(stored().metadata.labels).to.deep.equal({ [HOST_FACTS_LABEL]: 'ports' });
    expect(await map.write(seen('a'))).to.equal(false);
  });

  it('a server that fails is told, and asked anew later', async () => {
    let isAway = true;
    const client = api.client({ before: () => (isAway ? Promise.reject(new Error('away')) : undefined) });
    const other = new FactMap({ client, ref, job: 'ports', clock });
    const error: unknown = await other.write(seen('a')).catch((reason: unknown) => reason);
    expect(String(error)).to.contain('away');
    isAway = false;
    expect(await other.write(seen('a'))).to.equal(true);
  });
});
