import { expect } from 'chai';
import { readdir, writeFile } from 'node:fs/promises';
import { promoteByFile } from './promote.ts';
import { FakeEngine } from './testing/fake-engine.ts';
import { scratch } from './testing/scratch.ts';

describe('promotion by file and signal', () => {
  const { path } = scratch();
  const address = { socketDir: '/run', port: 1, user: 'postgres' };
  let fake: FakeEngine;
  let alive: number[];
  let preparations: string[];
  const prepare = async (): Promise<void> => void preparations.push(...(await readdir(path('.'))));

  beforeEach(async () => {
    fake = new FakeEngine();
    alive = [42];
    preparations = [];
    fake.tools.processesIn = () => Promise.resolve(alive);
    await writeFile(path('postmaster.pid'), '42\n/data\n');
  });
  const promote = (signal = AbortSignal.timeout(1000)) =>
    promoteByFile({ tools: fake.tools, address, directory: path('.'), prepare, signal });
  const recovery = (...answers: (boolean | string)[]) => {
    const rows = () => {
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
      if (typeof answer === 'string') throw Object.assign(new Error('cut'), { code: answer });
      return [{ recovery: answer }];
    };
    fake.answers = [{ match: 'pg_is_in_recovery', rows }];
  };

  it('asks once and waits until the engine has left recovery', async () => {
    recovery(true, true, true, false);
    await promote();
    expect(fake.signals).to.deep.equal([{ pid: 42, signal: 'SIGUSR1' }]);
    expect(await readdir(path('.'))).to.include('promote');
    expect(preparations).to.deep.equal(['postmaster.pid']);
  });

  it('asks an engine that is RW already for nothing', async () => {
    recovery(false);
    await promote();
    expect([...fake.signals, ...preparations]).to.deep.equal([]);
  });

  it('waits for an engine that starts, and outlives sessions that the promotion cuts', async () => {
    recovery('ENOENT', '57P03', true, '57P01', '57P03', false);
    await promote();
    expect(fake.signals).to.have.length(1);
  });

  it('gives up on what does not pass', async () => {
    recovery('28000');
    expect(await promote().catch((error: unknown) => error)).to.match(/cut/);
  });

  it('never signals a process that is not the postmaster', async () => {
    recovery(true);
    alive = [43];
    expect(await promote().catch((error: unknown) => error)).to.include({ code: 'NotRunning' });
    expect(fake.signals).to.deep.equal([]);
  });

  it('is bounded by the caller', async () => {
    recovery('57P03');
    const abort = new AbortController();
    fake.tools.sleep = () => {
      abort.abort(new Error('too late'));
      return Promise.resolve();
    };
    expect(await promote(abort.signal).catch((error: unknown) => error)).to.match(/too late/);
  });
});
