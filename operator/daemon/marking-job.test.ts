import { expect } from 'chai';
import { KubeError } from '../kube/errors.ts';
import { RESOURCES, type ConfigMap } from '../kube/resources.ts';
import { FakeClock, settle } from '../kube/testing/fake-clock.ts';
import { MemoryApi } from '../kube/testing/memory-api.ts';
import { silentLogger } from '../kube/testing/support.ts';
import { HOST_FACTS_STALE } from '../model/host.ts';
import { FactMap } from './fact-map.ts';
import { DaemonEnds, type JobResult } from './loop.ts';
import { MarkingJob } from './marking-job.ts';

const ref = { namespace: 'kube-system', name: 'facts' };

describe('a job that marks what it does not keep up', () => {
  let clock: FakeClock;
  let api: MemoryApi;
  let job: MarkingJob;
  let calls: string[];
  let act: (write: () => Promise<unknown>) => Promise<JobResult>;

  const works = async (write: () => Promise<unknown>): Promise<JobResult> => {
    await write();
    return { message: 'done' };
  };
  const fails =
    (error: Error = new Error('no /proc')) =>
    (): Promise<never> =>
      Promise.reject(error);
  /** Runs it so often, a minute after the other; how often it failed. */
  const runs = async (count: number, does: typeof act): Promise<number> => {
    act = does;
    let failures = 0;
    for (let n = 0; n < count; n++) {
      await clock.advance(60_000);
      await job.run(new AbortController().signal).catch(() => failures++);
    }
    return failures;
  };
  const mark = (): string | undefined =>
    (api.find(RESOURCES.configMaps, ref) as ConfigMap | undefined)?.metadata.annotations?.[HOST_FACTS_STALE];

  beforeEach(() => {
    clock = new FakeClock();
    api = new MemoryApi(() => clock.date());
    calls = [];
    const client = api.client({ before: ({ verb }) => void calls.push(verb) });
    const map = new FactMap({ client, ref, job: 'ports', clock });
    const write = (): Promise<boolean> =>
      map.write(current => (current?.data.seen === 'a' ? undefined : { data: { seen: 'a' } }));
    job = new MarkingJob({ job: { name: 'ports', run: () => act(write) }, map, clock, log: silentLogger });
  });

  it('says since when and why after three failures, once, and takes it back with the next run that works', async () => {
    await runs(2, works);
    expect(await runs(2, fails())).to.equal(2);
    expect(mark()).to.equal(undefined);
    calls.length = 0;
    expect(await runs(5, fails())).to.equal(5);
    expect(mark()).to.equal('2026-01-01T00:02:00.000Z no /proc');
    expect(calls).to.deep.equal(['update']);
    await runs(3, works);
    expect(mark()).to.equal(undefined);
    expect(calls).to.deep.equal(['update', 'update']);
  });

  it('leaves what a former process marked, which knew longer since when', async () => {
    await runs(1, works);
    const [map] = [api.find(RESOURCES.configMaps, ref) as ConfigMap];
    const metadata = { ...map.metadata, annotations: { [HOST_FACTS_STALE]: 'before' } };
    api.update(RESOURCES.configMaps, { ...map, metadata }, 'rest');
    await clock.advance(600_000);
    await runs(3, fails());
    expect(mark()).to.equal('before');
    await runs(1, works);
    expect(mark()).to.equal(undefined);
  });

  it('says that it is switched off', async () => {
    await runs(1, works);
    await runs(3, () => Promise.resolve({ message: 'switched off by enablePrintPort', skipped: true }));
    expect(mark()).to.equal('2026-01-01T00:01:00.000Z switched off by enablePrintPort');
    await runs(1, works);
    expect(mark()).to.equal(undefined);
  });

  it('writes nothing while nothing is published', async () => {
    await runs(9, fails());
    expect(calls).not.to.include('create');
  });

  it('writes nothing while the server is away: nothing says then that it is of now', async () => {
    await runs(1, works);
    calls.length = 0;
    await runs(9, fails(new KubeError({ status: 0, reason: 'Network', message: 'refused' })));
    expect(calls).to.deep.equal([]);
  });

  for (const [why, says] of [
    [new Error('did not end within 30000 ms'), '2026-01-01T00:01:00.000Z did not end within 30000 ms'],
    [new DaemonEnds(), undefined],
  ] as const) {
    it(`says ${says ? '' : 'nothing '}at once when it is called off: ${why.message}`, async () => {
      await runs(1, works);
      let end: (result: JobResult) => void = () => undefined;
      act = () => new Promise(resolve => (end = resolve));
      const abort = new AbortController();
      const running = job.run(abort.signal);
      abort.abort(why);
      await settle();
      expect(mark()).to.equal(says);
      end({ message: 'late' });
      await running;
    });
  }
});
