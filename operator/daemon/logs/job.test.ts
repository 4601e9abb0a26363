import { expect } from 'chai';
import { FakeClock } from '../../kube/testing/fake-clock.ts';
import { silentLogger } from '../../kube/testing/support.ts';
import type { FactContent, FactMap } from '../fact-map.ts';
import { HostFacts } from '../facts.ts';
import { CleanUpFailed, NoLogRoot, type LogsCleaner } from './cleaner.ts';
import { LogsJob } from './job.ts';
import { Recorder, type LogMode, type LogsReport } from './report.ts';

describe('the job of cleaning up logs', () => {
  const clock = new FakeClock();
  let written: FactContent[];
  let facts: HostFacts;
  let mode: LogMode;
  beforeEach(() => {
    written = [];
    facts = new HostFacts(clock);
    mode = 'apply';
  });

  const map: Pick<FactMap, 'write'> = {
    write: edit => {
      written.push(edit(undefined, '')!);
      return Promise.resolve(true);
    },
  };
  const jobWith = (cleaner: Partial<LogsCleaner>): LogsJob =>
    new LogsJob({ cleaner: cleaner as LogsCleaner, mode: () => mode, map, facts, clock, log: silentLogger });
  const recorder = (): Recorder => {
    const record = new Recorder({ host: 'h1', mode, root: '/r' }, clock.date());
    record.action('LogAge', 'a', 2 ** 20);
    record.action('OrphanFolder', '1001', 0);
    record.action('Compress', 'b', 2 ** 21);
    return record;
  };
  const never = new AbortController().signal;

  it('tells what it did: in its map, as a fact, in a line', async () => {
    const job = jobWith({ apply: () => Promise.resolve(recorder().end(clock.date())) });
    const { message } = await job.run(never);
    expect(message).to.equal('deleted 1 (1.0 MiB), 1 folders into the trash, 1 logs to compress (2.0 MiB)');
    expect(facts.get('logs')?.fact).to.deep.equal({
      mode: 'apply',
      deleted: 1,
      deletedBytes: 2 ** 20,
      setAside: 1,
      compressed: 1,
      problems: 0,
    });
    expect(written).to.have.length(1);
    expect(written[0]!.data).to.include({ summary: message, mode: 'apply', state: 'done' });
    expect((JSON.parse(written[0]!.data.report!) as LogsReport).actions).to.have.length(3);
  });

  it('plans only, where the site wants reports only', async () => {
    mode = 'plan';
    const job = jobWith({ plan: () => Promise.resolve(recorder().end(clock.date())) });
    expect((await job.run(never)).message).to.match(/^would delete 1 /);
  });

  it('stops deleting within a second once the site wants reports only', async () => {
    const record = recorder();
    const job = jobWith({
      apply: signal =>
        new Promise((_resolve, reject) => {
          const broken = (): void => {
            const { message } = signal.reason as Error;
            reject(new CleanUpFailed(record.end(clock.date(), message), signal.reason));
          };
          signal.addEventListener('abort', broken);
        }),
      plan: () => Promise.resolve(recorder().end(clock.date())),
    });
    const running = job.run(never).catch((error: unknown) => (error as Error).message);
    await clock.advance(5_000);
    mode = 'plan';
    await clock.advance(1_000);
    expect(await running).to.equal('called off: logCleanUp says plan now');
    expect(written[0]!.data).to.include({ mode: 'apply', state: 'failed' });
    expect((await job.run(never)).message).to.match(/^would delete/);
    expect(clock.pending).to.equal(0);
  });

  it('says how far it is every 30 s, and its last word last', async () => {
    const record = recorder();
    let finish = (): void => undefined;
    const job = jobWith({
      apply: (_, onStart) => {
        onStart!(() => record.snapshot());
        return new Promise(resolve => (finish = () => resolve(record.end(clock.date()))));
      },
    });
    const running = job.run(never);
    await clock.advance(65_000);
    expect(written.map(it => it.data.state)).to.deep.equal(['running', 'running']);
    finish();
    await running;
    expect(written.map(it => it.data.state)).to.deep.equal(['running', 'running', 'done']);
    expect(clock.pending).to.equal(0);
  });

  it('tells what it had done when it broke off', async () => {
    const failed = new CleanUpFailed(recorder().end(clock.date(), 'the server is away'), new Error());
    const job = jobWith({ apply: () => Promise.reject(failed) });
    expect(await job.run(never).catch((error: unknown) => (error as Error).message)).to.equal('the server is away');
    expect(written[0]!.data).to.include({ summary: 'the server is away', state: 'failed' });
    expect(facts.get('logs')).to.equal(undefined);
  });

  it('has nothing to do where there are no instances', async () => {
    const job = jobWith({ apply: () => Promise.reject(new NoLogRoot('there is no /r on this host')) });
    expect(await job.run(never)).to.deep.equal({ message: 'there is no /r on this host', skipped: true });
    expect(written).to.deep.equal([]);
  });

  it('fits into its map, whatever the names are', () => {
    const record = recorder();
    for (let n = 0; n < 1000; n++) {
      const path = `\n${'\u00ff'.repeat(255)}/${n}`;
      record.action('LogAge', path, 1);
      record.problem(path, new Error('x'.repeat(10_000)));
      record.kept(path, 'y');
      record.foreign(path);
    }
    expect(JSON.stringify(record.snapshot()).length).to.be.below(600_000);
  });
});
